import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Queue, Worker } from 'bullmq';
import type { Change } from '#domain';
import { takeBatch, type ChangeQueue, type RunningJob } from '#queue';
import { withRedis } from '../../support/faults.ts';
import { changeOf } from '../../support/queue-module.ts';
import { startRedis, type Redis } from '../../support/redis.ts';

const JOBS = 60;

describe('a batch of waiting changes', () => {
  let redis: Redis;
  let queue: ChangeQueue;
  let workers: [Worker, Worker];
  let active: RunningJob;

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    const [name, prefix, connection] = ['changes', `test-${randomUUID()}`, { url: redis.url }];
    queue = new Queue(name, { prefix, connection });
    const worker = (): Worker => new Worker(name, undefined, { prefix, connection });
    workers = [worker(), worker()];
    const changes = Array.from({ length: JOBS }, (_, index) => changeOf(`c${index}`));
    for (const change of changes) await queue.add('change', change, { jobId: change.eventId });
    active = (await workers[0].getNextJob('ours')) as RunningJob;
  });
  afterEach(() => Promise.all([...workers, queue].map((each) => each.close())));

  /** Does something right after the waiting list was read for the first time. */
  function meanwhile(act: () => Promise<unknown>): ChangeQueue {
    let done = false;
    return new Proxy(queue, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          const answer: unknown = await (value as (...all: unknown[]) => unknown).apply(target, args);
          if (!done && (name === 'getWaiting' || name === 'getRanges')) {
            done = true;
            await act();
          }
          return answer;
        };
      },
    });
  }

  const namesIn = (batch: Map<string, Change> | 'lost'): string[] =>
    batch === 'lost' ? [] : [...batch.values()].map(({ object }) => object.name);

  it('is all that waits, oldest first', async () => {
    const batch = await takeBatch(queue, active, active.data as Change);
    expect(namesIn(batch)).toEqual(Array.from({ length: JOBS }, (_, index) => `c${index}`));
  });

  it('leaves out none in the middle when the list moves while it is read', async () => {
    const moving = meanwhile(() => workers[1].getNextJob('theirs'));
    const batch = await takeBatch(moving, active, active.data as Change);
    expect(namesIn(batch)).toEqual(Array.from({ length: JOBS }, (_, index) => `c${index}`));
  });

  it('is not taken by a worker that has lost its job, as one that paused', async () => {
    const moving = meanwhile(() => withRedis(redis, (client) => client.del(`${queue.toKey(active.id!)}:lock`)));
    expect(await takeBatch(moving, active, active.data as Change)).toBe('lost');
  });
});
