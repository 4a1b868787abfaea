import { describe, expect, it } from '@jest/globals';
import type { LedgerRecord, LedgerService } from '#ledger';
import type { SettleQueue } from '#queue';
import type { Settings } from '../config/settings.ts';
import type { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import type { RedisConnections } from '../redis/redis-connections.service.ts';
import type { LedgerWriter as Writer } from './ledger-writer.service.ts';

// nestjs-otel is CommonJS and requires Nest's ES modules: those must be there before it is.
const { Logger } = await import('@nestjs/common');
const { CallsInHand } = await import('./calls-in-hand.ts');
const { LedgerWriter } = await import('./ledger-writer.service.ts');

const recordOf = (name: string): LedgerRecord => ({
  object: { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', name, uid: name },
});

/** A Redis that is there or not, and takes its time; what reached it is in `recorded`. */
class FakeRedis {
  available = true;
  readonly recorded: string[] = [];
  readonly lost: string[] = [];
  private waiting: (() => void)[] = [];
  private held = false;

  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  get isAsked(): boolean {
    return this.waiting.length > 0;
  }

  /** Records that it was given and has not answered. */
  get underWay(): number {
    return this.waiting.length;
  }

  async record(record: LedgerRecord): Promise<boolean> {
    if (this.held) await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (!this.available) throw new Error('Redis is away');
    this.recorded.push(record.object.name);
    return true;
  }

  writer(maxRecords = 100): Writer {
    return new LedgerWriter(
      { record: (_id: string, record: LedgerRecord) => this.record(record) } as unknown as LedgerService,
      { wake: () => Promise.resolve() } as unknown as SettleQueue,
      this as unknown as RedisConnections,
      {
        eventProcessed: ({ reason }: { reason: string }) => this.lost.push(reason),
        recordsHeld: () => undefined,
      } as unknown as ReverserMetrics,
      new CallsInHand(),
      { spill: { maxRecords, maxBytes: 1_000_000 } } as unknown as Settings,
    );
  }
}

Logger.overrideLogger(false);

describe('LedgerWriter', () => {
  it('writes at once what Redis takes', async () => {
    const redis = new FakeRedis();
    const writer = redis.writer();
    await writer.write(recordOf('a'));
    expect(redis.recorded).toEqual(['a']);
    expect(writer.isHolding).toBe(false);
  });

  it('holds what Redis does not take, and writes it in order at the end at the latest', async () => {
    const redis = new FakeRedis();
    const writer = redis.writer();
    redis.available = false;
    for (const name of ['a', 'b', 'c']) await writer.write(recordOf(name));
    expect(writer.isHolding).toBe(true);
    redis.available = true;
    await writer.write(recordOf('d')); // not before what waits
    expect(redis.recorded).toEqual([]);
    await writer.onApplicationShutdown();
    expect(redis.recorded).toEqual(['a', 'b', 'c', 'd']);
  });

  it('writes what it held many at a time: one by one it would never catch up with what comes', async () => {
    const redis = new FakeRedis();
    const writer = redis.writer();
    redis.available = false;
    for (const name of ['a', 'b', 'c']) await writer.write(recordOf(name));
    redis.available = true;
    redis.hold();
    while (!redis.isAsked) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(redis.underWay).toBe(3);
    redis.release();
    await writer.onApplicationShutdown();
    expect(redis.recorded).toEqual(['a', 'b', 'c']);
  });

  it('counts what it can not hold as lost', async () => {
    const redis = new FakeRedis();
    const writer = redis.writer(2);
    redis.available = false;
    for (const name of ['a', 'b', 'c']) await writer.write(recordOf(name));
    expect(redis.lost).toEqual(['spill-full']);
    await writer.onApplicationShutdown();
  });

  it('loses nothing and writes nothing twice when it ends while it is writing what it held', async () => {
    const redis = new FakeRedis();
    const writer = redis.writer();
    redis.available = false;
    for (const name of ['a', 'b', 'c']) await writer.write(recordOf(name));
    redis.available = true;
    redis.hold();
    while (!redis.isAsked) await new Promise((resolve) => setTimeout(resolve, 10));
    const ended = writer.onApplicationShutdown();
    await new Promise((resolve) => setImmediate(resolve));
    redis.release();
    await ended;
    expect(redis.recorded).toEqual(['a', 'b', 'c']);
  });
});
