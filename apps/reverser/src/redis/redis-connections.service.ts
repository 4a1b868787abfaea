import { Inject, Injectable, Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { SETTINGS } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';

/** Less than the admission deadline: a Redis that hangs is away. */
const PRODUCER_TIMEOUT_MS = 400;
/**
 * No answer for so long, with a question open, means that the connection is dead: a host that vanished closes nothing, and the
 * system itself would wait for a quarter of an hour. A worker's connection waits for work for 10 s at most by BullMQ's own limit.
 */
const PRODUCER_SILENCE_MS = 5_000;
const WORKER_SILENCE_MS = 12_000;
/** For a new connection to be there, and before one that is idle is asked by the system whether it still is. */
const CONNECT_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 5_000;
/** Short: what a replica holds in memory must reach the ledger before others call it unexplained. */
const LONGEST_RETRY_MS = 250;
/** One line a minute while Redis stays away. */
const REPEAT_LOG_MS = 60_000;

/** All connections of the process. */
@Injectable()
export class RedisConnections {
  /** For ledger and adding jobs: fails at once while Redis is away, so that an admission call never waits for it. */
  readonly producer: Redis;
  /** Resolves when Redis has answered once. */
  readonly answered: Promise<void>;
  private readonly logger = new Logger(RedisConnections.name);
  private lastLog = 0;

  constructor(@Inject(SETTINGS) private readonly settings: Settings) {
    this.producer = this.connect({
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: PRODUCER_TIMEOUT_MS,
      socketTimeout: PRODUCER_SILENCE_MS,
    });
    this.answered = new Promise((resolve) => this.producer.once('ready', resolve));
    this.producer.on('ready', () => {
      this.lastLog = 0;
      this.logger.log({ msg: 'connected to Redis', address: this.address });
    });
  }

  /** Whether Redis answers now. */
  get available(): boolean {
    return this.producer.status === 'ready';
  }

  /** A connection for a worker: commands wait for Redis. Its user closes it. */
  readonly connectWorker = (): Redis => this.connect({ maxRetriesPerRequest: null, socketTimeout: WORKER_SILENCE_MS });

  /** Last of all at the end of the process: everything else still uses it. */
  disconnect(): void {
    this.producer.disconnect();
  }

  private connect(options: {
    enableOfflineQueue?: boolean;
    maxRetriesPerRequest: number | null;
    commandTimeout?: number;
    socketTimeout: number;
  }): Redis {
    const redis = new Redis(this.settings.redisUrl, {
      ...options,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepAlive: KEEP_ALIVE_MS,
      retryStrategy: (times) => Math.min(times * 100, LONGEST_RETRY_MS),
      // A replica that became read-only or is loading: reconnect, the address may lead to the primary by then.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    });
    redis.on('error', (error) => this.report(error));
    return redis;
  }

  private report(error: Error & { code?: string }): void {
    if (Date.now() - this.lastLog < REPEAT_LOG_MS) return;
    this.lastLog = Date.now();
    this.logger.error({
      msg: 'Redis does not answer: check REDIS_URL and that the server runs; retrying',
      address: this.address,
      error: error.code ?? error.message,
    });
  }

  private get address(): string {
    const url = new URL(this.settings.redisUrl);
    return `${url.hostname}:${url.port || '6379'}`;
  }
}
