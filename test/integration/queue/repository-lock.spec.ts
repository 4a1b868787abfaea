import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startQueueReplica, type QueueReplica } from '../../support/queue-module.ts';
import { startRedis, type Redis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

describe('the lock of a repository', () => {
  let redis: Redis;
  let first: QueueReplica;
  let second: QueueReplica;
  const forever = new AbortController().signal;
  const prefix = `test-${randomUUID()}`;

  beforeAll(async () => {
    redis = await startRedis();
    first = await startQueueReplica(redis.url, prefix);
    second = await startQueueReplica(redis.url, prefix);
  });
  afterAll(async () => {
    await Promise.all([first.end(), second.end()]);
    await redis.remove();
  });

  it('has one holder at a time over all replicas, and everybody gets a turn', async () => {
    let holders = 0;
    let most = 0;
    let turns = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
      turns++;
    };
    const url = randomUUID();
    await Promise.all(Array.from({ length: 8 }, (_, i) => (i % 2 ? first : second).lock.hold(url, forever, work)));
    expect({ most, turns }).toEqual({ most: 1, turns: 8 });
  });

  it('keeps no repository waiting for another', async () => {
    const result = await first.lock.hold('one', forever, () => second.lock.hold('two', forever, async () => 'both'));
    expect(result).toBe('both');
  });

  it('is free again after an error, which its caller gets', async () => {
    const url = randomUUID();
    await expect(first.lock.hold(url, forever, () => Promise.reject(new Error('push failed')))).rejects.toThrow(
      'push failed',
    );
    expect(await second.lock.hold(url, forever, async () => 'mine')).toBe('mine');
  });

  it('stops waiting when it is told to', async () => {
    const url = randomUUID();
    await first.lock.hold(url, forever, async () => {
      const stop = new AbortController();
      const waiting = second.lock.hold(url, stop.signal, async () => 'never');
      stop.abort(new Error('the process ends'));
      await expect(waiting).rejects.toThrow('the process ends');
    });
  });

  it('aborts the work when it is lost, and leaves the next holder alone', async () => {
    const url = randomUUID();
    const outcome = first.lock.hold(url, forever, async (signal) => {
      await first.producer.set(`${prefix}:writer:${url}`, 'somebody else'); // as after a pause longer than the lock
      await waitFor('the abort', () => signal.aborted, { timeoutMs: 8_000 });
      return (signal.reason as Error).message;
    });
    expect(await outcome).toMatch(/lock of the repository was lost/);
    expect(await first.producer.get(`${prefix}:writer:${url}`)).toBe('somebody else');
  });
});
