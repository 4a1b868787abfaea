import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { RuleCurrency } from './rule-currency.service.ts';

Logger.overrideLogger(false);

/** Rules that take a moment to be read. */
class Rules {
  reads = 0;
  failures = 0;
  private waiting: (() => void)[] = [];

  readonly read = async (): Promise<void> => {
    this.reads += 1;
    if (this.failures-- > 0) throw new Error('The API server is away.');
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  };

  finish(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

const settled = async (work: Promise<void>): Promise<boolean> => {
  let done = false;
  void work.then(() => (done = true));
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  return done;
};

function currencyOf(rules: Rules): RuleCurrency {
  const currency = new RuleCurrency();
  currency.start(rules.read);
  return currency;
}

describe('RuleCurrency', () => {
  it('asks nothing about a registration whose rules are in force, or were before', async () => {
    const rules = new Rules();
    const currency = currencyOf(rules);
    currency.note('old');
    currency.note('new');
    await currency.reach('old');
    await currency.reach('new');
    expect(rules.reads).toBe(0);
  });

  it('holds calls by another registration until the rules were read, once for all of them', async () => {
    const rules = new Rules();
    const currency = currencyOf(rules);
    const calls = [currency.reach('newer'), currency.reach('newer')];
    expect(await settled(calls[0]!)).toBe(false);
    rules.finish();
    await Promise.all(calls);
    await currency.reach('newer');
    expect(rules.reads).toBe(1);
  });

  it('does not trust a reading that began before the call came', async () => {
    const rules = new Rules();
    const currency = currencyOf(rules);
    const first = currency.reach('newer');
    await settled(first);
    const second = currency.reach('newest');
    rules.finish();
    await first;
    expect(await settled(second)).toBe(false);
    rules.finish();
    await second;
    expect(rules.reads).toBe(2);
  });

  it('tries again where the rules can not be read, and lets the call go in the end', async () => {
    const rules = new Rules();
    rules.failures = 1;
    const currency = currencyOf(rules);
    const call = currency.reach('newer');
    while (rules.reads < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    rules.finish();
    await call;
    rules.failures = 100;
    await currency.reach('newest');
    expect(rules.reads).toBe(7);
  });
});
