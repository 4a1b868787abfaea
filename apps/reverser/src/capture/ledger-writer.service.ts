import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { LedgerService, objectKey } from '#ledger';
import type { LedgerRecord } from '#ledger';
import { SettleQueue } from '#queue';
import { SETTINGS } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import { RedisConnections } from '../redis/redis-connections.service.ts';
import { CallsInHand } from './calls-in-hand.ts';
import { Spill } from './spill.ts';
import type { SpilledRecord } from './spill.ts';

const DRAIN_RETRY_MS = 250;
/** Records that go to Redis together: one by one, each after Redis has synced the one before, calls come faster than that. */
const DRAIN_RECORDS = 200;
const DRAIN_BYTES = 8 * 1024 * 1024;

/** How long before its record is written a call may have come: its object and the newest rules may have to be read first. */
const LONGEST_RECORDING_MS = 10_000;

/** Writes records to the ledger and asks for a verdict; while Redis is away it holds them in memory, in order. */
@Injectable()
export class LedgerWriter implements OnApplicationShutdown {
  private readonly logger = new Logger(LedgerWriter.name);
  private readonly spill: Spill;
  private timer: NodeJS.Timeout | undefined;
  private draining: Promise<void> | undefined;
  private ending: Promise<void> | undefined;
  /** Told when a record is lost: only comparing finds the change again. */
  onLost: () => void = () => undefined;

  constructor(
    private readonly ledger: LedgerService,
    private readonly settleQueue: SettleQueue,
    private readonly redis: RedisConnections,
    private readonly metrics: ReverserMetrics,
    private readonly calls: CallsInHand,
    @Inject(SETTINGS) settings: Settings,
  ) {
    this.spill = new Spill(settings.spill.maxRecords, settings.spill.maxBytes);
  }

  /** Records wait in memory for Redis. */
  get isHolding(): boolean {
    return this.spill.size > 0;
  }

  /** When the oldest of their calls came, in ms since the epoch. */
  get heldSince(): number | undefined {
    return this.spill.since;
  }

  /** Never rejects: what Redis can't take is held, and what can't be held is counted as lost. */
  async write(record: LedgerRecord): Promise<void> {
    const id = objectKey(record.object);
    // The call may have been answered since, at its deadline.
    const at = record.attempt?.admittedAt ?? Date.now() - LONGEST_RECORDING_MS;
    // What was spilled goes first: the order of an object's records is kept.
    if (this.spill.size === 0 && this.redis.available) {
      try {
        await this.send(id, record);
        return;
      } catch (error) {
        this.logger.warn({ msg: 'Redis did not take a record, it is held in memory', error: (error as Error).message });
      }
    }
    if (!this.spill.put(id, record, at)) return this.countLost(record);
    this.metrics.recordsHeld(this.spill.size);
    this.drainLater();
  }

  /** Resolves once all that is held is written, or lost because Redis is away. */
  onApplicationShutdown(): Promise<void> {
    return (this.ending ??= this.end());
  }

  private async end(): Promise<void> {
    await this.calls.done();
    await this.draining; // two at once would take each other's records away
    clearTimeout(this.timer);
    await this.drain().catch(() => undefined);
    if (this.spill.size > 0)
      this.logger.error({ msg: 'records are lost: Redis is away at the end', count: this.spill.size });
  }

  private async send(id: string, record: LedgerRecord): Promise<void> {
    if (await this.ledger.record(id, record, Date.now())) await this.settleQueue.wake([id]);
  }

  private drainLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.draining ??= this.drain()
        .catch(() => this.drainLater())
        .finally(() => (this.draining = undefined));
    }, DRAIN_RETRY_MS);
  }

  private async drain(): Promise<void> {
    for (let batch = this.nextBatch(); batch.length > 0; batch = this.nextBatch()) {
      const now = Date.now();
      const results = await Promise.allSettled(batch.map(({ id, record }) => this.ledger.record(id, record, now)));
      const failed = results.findIndex(({ status }) => status === 'rejected');
      const written = failed < 0 ? batch : batch.slice(0, failed);
      // Where they can't be woken the names are due by themselves.
      await this.settleQueue.wake([...new Set(written.map(({ id }) => id))]).catch(() => undefined);
      this.spill.shift(written.length);
      this.metrics.recordsHeld(this.spill.size);
      if (failed >= 0) throw (results[failed] as PromiseRejectedResult).reason;
    }
  }

  private nextBatch(): SpilledRecord[] {
    return this.spill.oldest(DRAIN_RECORDS, DRAIN_BYTES);
  }

  private countLost(record: LedgerRecord): void {
    this.onLost();
    const operation = record.attempt?.operation ?? 'UPDATE';
    this.metrics.eventProcessed({ operation, result: 'dropped', reason: 'spill-full' });
    this.logger.error({ msg: 'a record is lost: Redis is away and the memory for records is full', operation });
  }
}
