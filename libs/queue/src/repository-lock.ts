import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { QUEUE_OPTIONS } from './queue-options.ts';
import type { QueueOptions } from './queue-options.ts';

const LOCK_MS = 8_000;
const RENEW_MS = 2_500;
const RETRY_MS = 50;

const RENEW = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/**
 * One writer at a time for each repository URL, over all replicas and all GitRepoConfigs that name it. It spares work;
 * what keeps a branch safe is the lease of each push. Loss of the lock aborts the signal that the work was given.
 * Other things of which there is one are named in a way that no URL is.
 */
@Injectable()
export class RepositoryLock {
  constructor(@Inject(QUEUE_OPTIONS) private readonly options: QueueOptions) {}

  /** Runs `work` under the lock of `url`, waiting for it as long as `signal` lets it. Rejects while Redis is away. */
  async hold<T>(url: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const redis = this.options.producer;
    const key = `${this.options.prefix}:writer:${url}`;
    const token = randomUUID();
    while ((await redis.set(key, token, 'PX', LOCK_MS, 'NX')) !== 'OK') {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    const lost = new AbortController();
    let renewedAt = Date.now();
    const renewal = setInterval(() => {
      redis.eval(RENEW, 1, key, token, LOCK_MS).then(
        (renewed) => {
          if (renewed === 1) renewedAt = Date.now();
          else lost.abort(new Error('The lock of the repository was lost.'));
        },
        () => {
          if (Date.now() - renewedAt > LOCK_MS) lost.abort(new Error('The lock of the repository was lost.'));
        },
      );
    }, RENEW_MS);
    try {
      return await work(AbortSignal.any([signal, lost.signal]));
    } finally {
      clearInterval(renewal);
      await redis.eval(RELEASE, 1, key, token).catch(() => undefined); // it expires by itself
    }
  }
}
