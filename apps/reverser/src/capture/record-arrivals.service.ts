import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { SETTINGS } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { RedisConnections } from '../redis/redis-connections.service.ts';
import { CallsInHand } from './calls-in-hand.ts';
import { LedgerWriter } from './ledger-writer.service.ts';
import { ReplicaRoll } from './replica-roll.ts';
import type { Beat } from './replica-roll.ts';

const BEAT_MS = 200;
/** A Redis that has not answered for so long, in ms, is away. */
const LATE_MS = 1_000;
/** Replicas that said nothing for so long are taken off the roll in Redis. */
const FORGET_MS = 60_000;

/** KEYS roll; ARGV id, up to when all is recorded (a moment to come is cut to now), forget ms. Answers the time and the roll. */
const BEAT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f/%.0f', now, math.min(now, ARGV[2])))
local roll = redis.call('HGETALL', KEYS[1])
for i = 1, #roll, 2 do
  if tonumber(string.match(roll[i + 1], '^%d+')) < now - ARGV[3] then redis.call('HDEL', KEYS[1], roll[i]) end
end
return { string.format('%.0f', now), roll }`;

/** All times are ms of Redis' clock. */
export interface Arrived {
  /** Since when Redis has been there without a break; Infinity while it is away. */
  redisSince: number;
  /** The ledger holds all that was answered before this moment, here and elsewhere; -Infinity while Redis is away. */
  upTo: number;
}

/**
 * Tells when the ledger holds all that any replica was told before a moment: each one says over and over up to when it has
 * handed over its records. What a replica holds in memory, because Redis was away for it, is waited for by this.
 */
@Injectable()
export class RecordArrivals implements OnApplicationShutdown {
  private readonly id = randomUUID();
  private readonly roll = new ReplicaRoll();
  /** What Redis' clock is ahead of ours, in ms: at least and at most, as its answer took some time; unknown before the first beat. */
  private ahead: { least: number; most: number } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  /** One of its own that waits: a replica on a machine that is too busy to answer in time must still be heard to live. */
  private readonly connection: Redis;

  constructor(
    private readonly redis: RedisConnections,
    private readonly writer: LedgerWriter,
    private readonly calls: CallsInHand,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    this.connection = redis.connectWorker();
  }

  async start(): Promise<void> {
    this.redis.producer.on('close', () => this.roll.breakOff());
    await this.beat();
    await this.beat(); // only now Redis' clock is known
  }

  /** All that was recorded is in Redis by now, and nothing more comes. */
  async onApplicationShutdown(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await this.writer.onApplicationShutdown();
    // What is still held is lost, and known to be so once nobody has heard of us for long enough.
    const last = `${Math.round(this.now())}/${Number.MAX_SAFE_INTEGER}`;
    if (!this.writer.isHolding) await this.redis.producer.hset(this.key, this.id, last).catch(() => undefined);
    this.connection.disconnect();
  }

  /** Now, in ms of Redis' clock: the same on every replica. */
  now(): number {
    return Date.now() + (this.ahead?.most ?? 0);
  }

  /** What the ledger holds by now. Whoever judges by it asks before reading the ledger: what comes while reading is not read. */
  arrived(): Arrived {
    const { since, upTo } = this.roll;
    return this.writer.isHolding || since === undefined
      ? { redisSince: Infinity, upTo: -Infinity }
      : { redisSince: since, upTo };
  }

  private async beat(): Promise<void> {
    const asked = Date.now();
    // Of this moment, not of when Redis gets to it: it may hang in between.
    const oldest = Math.min(this.calls.oldest ?? asked, this.writer.heldSince ?? asked);
    const upTo = this.ahead === undefined ? 0 : Math.floor(oldest + this.ahead.least);
    const late = setTimeout(() => this.roll.breakOff(), LATE_MS);
    try {
      const answer = await this.connection.eval(BEAT, 1, this.key, this.id, upTo, FORGET_MS);
      const [time, roll] = answer as [string, string[]];
      // An answer that was long under way tells little of the clock, and would put the present into the future.
      if (this.ahead === undefined || Date.now() - asked < LATE_MS)
        this.ahead = { least: Number(time) - Date.now(), most: Number(time) - asked };
      this.roll.hear(parseRoll(roll), Number(time));
    } catch {
      this.roll.breakOff(); // Redis takes no writes: the connection's own log says more
    }
    clearTimeout(late);
    clearTimeout(this.timer);
    if (!this.ended) this.timer = setTimeout(() => void this.beat(), BEAT_MS);
  }

  private get key(): string {
    return `${this.settings.queuePrefix}:replicas`;
  }
}

function parseRoll(roll: string[]): Map<string, Beat> {
  const beats = new Map<string, Beat>();
  for (let i = 0; i + 1 < roll.length; i += 2) {
    const [at = 0, upTo = 0] = (roll[i + 1] ?? '').split('/').map(Number);
    beats.set(roll[i] ?? '', { at, upTo });
  }
  return beats;
}
