import type { Redis } from 'ioredis';

export const QUEUE_OPTIONS = Symbol('QUEUE_OPTIONS');

/** What the queues need from the app. */
export interface QueueOptions {
  /** Prefix of all keys. */
  prefix: string;
  /** For adding jobs: fails at once while Redis is away. Shared; not closed by this library. */
  producer: Redis;
  /** A new connection for a worker: waits for Redis for ever. */
  connectWorker: () => Redis;
}

/**
 * Settings of every worker. The lock outlives a slow event loop; with the interval in which its end is noticed, another
 * replica takes over after 10 s at the latest: 15 s are promised, on a machine that is busy as well. A job may stall any number of times (after two crashes
 * the default parks it in `failed`); without a limiter a worker ignores the pause that another replica has set. A worker
 * in a pause looks twice a second whether somebody has ended it.
 */
export const WORKER_SETTINGS = {
  lockDuration: 8_000,
  stalledInterval: 2_000,
  maxStalledCount: 1_000_000,
  runRetryDelay: 500,
  limiter: { max: 1_000_000, duration: 1_000 },
  maximumRateLimitDelay: 500,
} as const;
