import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { CallsInHand } from '../../../apps/reverser/src/capture/calls-in-hand.ts';
import type { LedgerWriter } from '../../../apps/reverser/src/capture/ledger-writer.service.ts';
import type { RecordArrivals as Arrivals } from '../../../apps/reverser/src/capture/record-arrivals.service.ts';
import type { Settings } from '../../../apps/reverser/src/config/settings.ts';
import { startRedis, type Redis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

// nestjs-otel is CommonJS and requires Nest's ES modules: those must be there before it is.
const { Logger } = await import('@nestjs/common');
const { RecordArrivals } = await import('../../../apps/reverser/src/capture/record-arrivals.service.ts');
const { RedisConnections } = await import('../../../apps/reverser/src/redis/redis-connections.service.ts');

Logger.overrideLogger(false);

/** One replica's side: what it holds in memory, and what it is recording. */
class Replica {
  readonly calls = new CallsInHand();
  heldSince: number | undefined;
  readonly arrivals: Arrivals;
  private readonly connections;
  /** The connection by which it says that it lives. */
  private voice: { disconnect: () => void } | undefined;

  constructor(redisUrl: string, queuePrefix: string) {
    const settings = { redisUrl, queuePrefix } as Settings;
    this.connections = new RedisConnections(settings);
    const { connectWorker } = this.connections;
    Object.assign(this.connections, { connectWorker: () => (this.voice = connectWorker()) });
    const writer = {
      onApplicationShutdown: () => Promise.resolve(),
    } as LedgerWriter;
    Object.defineProperties(writer, {
      isHolding: { get: () => this.heldSince !== undefined },
      heldSince: { get: () => this.heldSince },
    });
    this.arrivals = new RecordArrivals(this.connections, writer, this.calls, settings);
  }

  async start(): Promise<void> {
    await this.connections.answered;
    await this.arrivals.start();
  }

  /** Says nothing any more. */
  die(): void {
    this.voice?.disconnect();
    this.connections.disconnect();
  }

  async end(): Promise<void> {
    await this.arrivals.onApplicationShutdown();
    this.connections.disconnect();
  }
}

describe('the arrival of records', () => {
  let redis: Redis;
  let first: Replica;
  let second: Replica;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    const prefix = `test-${randomUUID()}`;
    first = new Replica(redis.url, prefix);
    second = new Replica(redis.url, prefix);
    await Promise.all([first.start(), second.start()]);
  });
  afterEach(() => Promise.all([first.end(), second.end()]));

  const complete = (replica: Replica, moment: number): Promise<unknown> =>
    waitFor('all records', () => replica.arrivals.arrived().upTo >= moment, { timeoutMs: 10_000, intervalMs: 10 });

  it('is complete within moments while every replica hands over what it records', async () => {
    const asked = Date.now();
    await complete(first, first.arrivals.now());
    expect(Date.now() - asked).toBeLessThan(3_000);
    expect(first.arrivals.arrived().redisSince).toBe(0);
  });

  it('is not complete while another replica holds a record, and is once that has been written', async () => {
    second.heldSince = Date.now();
    const moment = first.arrivals.now() + 1;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(first.arrivals.arrived().upTo).toBeLessThan(moment);
    second.heldSince = undefined;
    await complete(first, moment);
  });

  it('is not complete while a call that was answered at its deadline is being recorded', async () => {
    let finish: () => void = () => undefined;
    const call = second.calls.during(() => new Promise<void>((resolve) => (finish = resolve)));
    const moment = first.arrivals.now() + 100;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(first.arrivals.arrived().upTo).toBeLessThan(moment);
    finish();
    await call;
    await complete(first, moment);
  });

  it('is begun anew when Redis was away', async () => {
    await redis.kill();
    await waitFor('the break to be noticed', () => first.arrivals.arrived().redisSince === Infinity, {
      timeoutMs: 10_000,
    });
    expect(first.arrivals.arrived().upTo).toBe(-Infinity);
    await redis.start();
    const back = () => first.arrivals.arrived().redisSince;
    await waitFor('Redis', () => back() < Infinity, { timeoutMs: 10_000 });
    const since = back();
    expect(since).toBeGreaterThan(0);
    await complete(first, since);
  });

  it('does not wait for a replica that has ended', async () => {
    await second.end();
    const asked = Date.now();
    await complete(first, first.arrivals.now());
    expect(Date.now() - asked).toBeLessThan(3_000);
  });

  it('waits for no more than some seconds for one that has died', async () => {
    second.die();
    const asked = Date.now();
    await complete(first, first.arrivals.now() + 1_000);
    expect(Date.now() - asked).toBeGreaterThan(3_000);
  });
});
