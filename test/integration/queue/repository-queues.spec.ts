import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Change, ChangeVerdict } from '#domain';
import type { BatchHandler } from '#queue';
import { changeOf, startQueueReplica, type QueueReplica } from '../../support/queue-module.ts';
import { startRedis, type Redis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

const KEY = { namespace: 'team', name: 'audit' };
const UID = 'uid';
const OTHER = { namespace: 'team', name: 'other' };

const committed = (changes: Change[]): { verdicts: ChangeVerdict[] } => ({
  verdicts: changes.map(({ eventId }) => ({ result: 'committed', eventId, sha: 'abc' })),
});
const names = (changes: Change[]): string[] => changes.map(({ object }) => object.name);
const numbered = (count: number, from = 0): Change[] =>
  Array.from({ length: count }, (_, index) => changeOf(`c${index + from}`));

describe('the queue of a repository', () => {
  let redis: Redis;
  let prefix: string;
  let replica: QueueReplica;
  const replicas: QueueReplica[] = [];

  beforeAll(async () => {
    redis = await startRedis({ appendfsync: 'always' });
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    prefix = `test-${randomUUID()}`;
    replica = await start();
  });
  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((each) => each.end()));
  });

  async function start(): Promise<QueueReplica> {
    const started = await startQueueReplica(redis.url, prefix);
    replicas.push(started);
    return started;
  }

  /** Every change that a verdict was given on, in the order in which it was. */
  function recorder(): { batches: string[][]; handled: () => string[]; handle: BatchHandler } {
    const batches: string[][] = [];
    return {
      batches,
      handled: () => batches.flat(),
      handle: (changes) => {
        batches.push(names(changes));
        return Promise.resolve(committed(changes));
      },
    };
  }

  /** Looks into the queue as a person would. */
  async function withQueue<T>(look: (queue: Queue) => Promise<T>): Promise<T> {
    const queue = new Queue(`repository.${KEY.namespace}.${KEY.name}`, { connection: { url: redis.url }, prefix });
    try {
      return await look(queue);
    } finally {
      await queue.close();
    }
  }

  const verdictsLeft = (): Promise<number> =>
    replica.producer.hlen(`${prefix}:verdicts:repository.${KEY.namespace}.${KEY.name}`);

  const drained = (): Promise<boolean> =>
    waitFor('the queue to be empty', async () => (await replica.queues.countPending(KEY)) === 0);

  it('writes in order, each change once, and takes along in a batch what waits', async () => {
    const changes = numbered(120);
    await replica.queues.enqueue(KEY, changes);
    expect(await replica.queues.countPending(KEY)).toBe(120);
    const seen = recorder();
    replica.queues.start(KEY, UID, seen.handle);
    await drained();
    expect(seen.handled()).toEqual(names(changes));
    expect(seen.batches).toHaveLength(1);
  });

  it('keeps the order of changes that come while a batch is written', async () => {
    const seen = recorder();
    let release = (): void => undefined;
    const first = new Promise<void>((resolve) => (release = resolve));
    replica.queues.start(KEY, UID, async (changes, signal) => {
      const outcome = await seen.handle(changes, signal);
      await first;
      return outcome;
    });
    await replica.queues.enqueue(KEY, numbered(1));
    await waitFor('the first batch', () => seen.batches.length === 1);
    for (let from = 1; from < 40; from += 3) await replica.queues.enqueue(KEY, numbered(3, from));
    release();
    await drained();
    expect(seen.handled()).toEqual(names(numbered(40)));
    expect(seen.batches).toHaveLength(2);
  });

  it('queues a change once, however often it is handed in', async () => {
    await replica.queues.enqueue(KEY, numbered(3));
    await replica.queues.enqueue(KEY, numbered(5));
    const seen = recorder();
    replica.queues.start(KEY, UID, seen.handle);
    await drained();
    await replica.queues.enqueue(KEY, [...numbered(5), changeOf('marker')]);
    await waitFor('the marker', () => seen.handled().includes('marker'));
    expect(seen.handled()).toEqual([...names(numbered(5)), 'marker']);
  });

  it('hands a held batch out again before anything else', async () => {
    const batches: string[][] = [];
    await replica.queues.enqueue(KEY, numbered(3));
    replica.queues.start(KEY, UID, async (changes) => {
      batches.push(names(changes));
      if (batches.length > 1) return committed(changes);
      await replica.queues.enqueue(KEY, numbered(2, 3)); // they come behind
      return { holdMs: 100 };
    });
    await drained();
    expect(batches).toEqual([names(numbered(3)), names(numbered(5))]);
  });

  it('ends a pause early when it is asked to', async () => {
    const batches: string[][] = [];
    replica.queues.start(KEY, UID, (changes) => {
      batches.push(names(changes));
      return Promise.resolve(batches.length === 1 ? { holdMs: 600_000 } : committed(changes));
    });
    await replica.queues.enqueue(KEY, numbered(2));
    await waitFor('the pause', async () => {
      await replica.queues.resumeNow(KEY);
      return batches.length === 2;
    });
    await drained();
  });

  it('puts a refused change into "failed" with its reason, and goes on with the next', async () => {
    const changes = numbered(4);
    await replica.queues.enqueue(KEY, changes);
    replica.queues.start(KEY, UID, (batch) =>
      Promise.resolve({
        verdicts: batch.map(({ eventId }, index): ChangeVerdict =>
          index === 1
            ? { result: 'refused', eventId, code: 'PushRefused', message: 'too large' }
            : { result: 'committed', eventId, sha: 'abc' },
        ),
      }),
    );
    await drained();
    const failed = await withQueue((queue) => queue.getFailed());
    expect(failed.map(({ id, failedReason }) => ({ id, failedReason }))).toEqual([
      { id: 'event-c1', failedReason: 'PushRefused: too large' },
    ]);
    const completed = await withQueue((queue) => queue.getCompleted());
    expect(completed.map(({ id }) => id).sort()).toEqual(['event-c0', 'event-c2', 'event-c3']);
  });

  it('gives the verdict of a batch to each of its changes, and does not write them again', async () => {
    const seen = recorder();
    await replica.queues.enqueue(KEY, numbered(30));
    replica.queues.start(KEY, UID, seen.handle);
    await drained();
    const completed = await withQueue((queue) => queue.getCompleted());
    expect(completed.map(({ id, returnvalue }) => [id, returnvalue as unknown])).toEqual(
      expect.arrayContaining(
        numbered(30).map(({ eventId }) => [eventId, { result: 'committed', eventId, sha: 'abc' }]),
      ),
    );
    expect(seen.handled()).toHaveLength(30);
  });

  it('gives each job its own verdict, also where several comparisons have found the same state', async () => {
    const [change] = numbered(1);
    await replica.queues.enqueue(KEY, [changeOf('first')]);
    await replica.queues.enqueue(KEY, [change!], 'run1');
    await replica.queues.enqueue(KEY, [change!], 'run2');
    const seen = recorder();
    replica.queues.start(KEY, UID, async (changes, signal) => {
      await seen.handle(changes, signal);
      const verdicts = changes.map(({ eventId }, index): ChangeVerdict => ({
        result: 'committed',
        eventId,
        sha: String(index),
      }));
      return { verdicts };
    });
    await drained();
    expect(seen.batches).toEqual([['first', 'c0', 'c0']]);
    const completed = await withQueue((queue) => queue.getCompleted());
    expect(completed.map(({ id, returnvalue }) => [id, (returnvalue as { sha: string }).sha]).sort()).toEqual([
      ['event-c0/run1', '1'],
      ['event-c0/run2', '2'],
      ['event-first', '0'],
    ]);
  });

  it('writes what a later comparison finds, though a writer that was taken for dead gave its verdict on it late', async () => {
    const second = await start();
    const found = numbered(3);
    let release = (): void => undefined;
    const late = new Promise<void>((resolve) => (release = resolve));
    let active = false;
    replica.queues.start(KEY, UID, async (changes) => {
      active = true;
      await late;
      return committed(changes);
    });
    await replica.queues.enqueue(KEY, found, 'run1');
    await waitFor('the slow writer', () => active);
    const seen = recorder();
    second.queues.start(KEY, UID, seen.handle);
    await replica.producer.del(`${prefix}:repository.${KEY.namespace}.${KEY.name}:event-c0/run1:lock`);
    await waitFor('the takeover', () => seen.handled().length === 3, { timeoutMs: 30_000 });
    await drained();
    release();
    await waitFor('the late verdicts', async () => (await verdictsLeft()) === 2);
    await replica.queues.stop(KEY, UID);
    await second.queues.enqueue(KEY, found.slice(1), 'run2');
    await drained();
    expect(seen.handled()).toEqual([...names(found), ...names(found.slice(1))]);
  });

  it('does not gather verdicts that nobody takes', async () => {
    const key = `${prefix}:verdicts:repository.${KEY.namespace}.${KEY.name}`;
    const left = Array.from({ length: 2_500 }, (_, index) => [`gone-${index}`, '{}']).flat();
    await replica.producer.hset(key, ...left);
    replica.queues.start(KEY, UID, (changes) => Promise.resolve(committed(changes)));
    await replica.queues.enqueue(KEY, numbered(10));
    await drained();
    expect(await verdictsLeft()).toBe(0);
  });

  it('bounds a batch by what its objects weigh, not only by their number', async () => {
    const content = 'x'.repeat(1_500_000);
    await replica.queues.enqueue(
      KEY,
      numbered(30).map((change) => ({ ...change, content })),
    );
    const seen = recorder();
    replica.queues.start(KEY, UID, seen.handle);
    await drained();
    expect(seen.handled()).toEqual(names(numbered(30)));
    expect(seen.batches.map(({ length }) => length)).toEqual([22, 8]); // 33,554,432 / 1,500,000
  });

  it('keeps little of what was written: the last changes with who, what and verdict, and no long content', async () => {
    const content = 'x'.repeat(100_000);
    replica.queues.start(KEY, UID, (changes) => Promise.resolve(committed(changes)));
    const usedBytes = async (): Promise<number> =>
      Number(/used_memory:(\d+)/.exec(await replica.producer.info('memory'))?.[1]);
    const before = await usedBytes();
    for (let from = 0; from < 400; from += 50) {
      await replica.queues.enqueue(
        KEY,
        numbered(50, from).map((change) => ({ ...change, content })),
      );
      await drained();
    }
    await waitFor('the contents to go', async () => (await usedBytes()) - before < 4_000_000);
    const completed = await withQueue((queue) => queue.getCompleted());
    expect(completed).toHaveLength(200);
    const { content: _gone, ...rest } = numbered(1, 399)[0]!;
    const last = completed.find(({ id }) => id === rest.eventId);
    expect(last?.data).toEqual({ ...rest, contentLength: 100_000 });
    expect(last?.returnvalue).toEqual({ result: 'committed', eventId: rest.eventId, sha: 'abc' });
  });

  it('does not write a finished change again without its content, when a person asks for it', async () => {
    const seen = recorder();
    replica.queues.start(KEY, UID, seen.handle);
    await replica.queues.enqueue(KEY, [changeOf('long', { content: 'x'.repeat(10_000) }), changeOf('short')]);
    await drained();
    const runAgain = async (): Promise<void> => {
      await withQueue(async (queue) => {
        for (const job of await queue.getCompleted()) await job.retry('completed');
      });
    };
    await waitFor('the content to go', () =>
      withQueue(async (queue) => 'contentLength' in ((await queue.getJob('event-long'))!.data as object)),
    );
    await runAgain();
    await waitFor('the short one to be written again', () => seen.handled().length === 3);
    await drained();
    expect(seen.handled()).toEqual(['long', 'short', 'short']);
    const failed = await withQueue((queue) => queue.getFailed());
    expect(failed.map(({ id, failedReason }) => [id, failedReason.split(':')[0]])).toEqual([
      ['event-long', 'Its content was removed after it had been written'],
    ]);
  });

  it('writes one batch at a time over all replicas', async () => {
    const second = await start();
    let running = 0;
    let most = 0;
    const order: string[] = [];
    const handle: BatchHandler = async (changes) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(...names(changes));
      running--;
      return committed(changes);
    };
    replica.queues.start(KEY, UID, handle);
    second.queues.start(KEY, UID, handle);
    for (let from = 0; from < 60; from++) await replica.queues.enqueue(KEY, numbered(1, from));
    await waitFor('all changes', () => order.length === 60);
    expect(order).toEqual(names(numbered(60)));
    expect(most).toBe(1);
  });

  it('is taken over, in order, when the replica that was writing dies', async () => {
    const second = await start();
    await replica.queues.enqueue(KEY, numbered(3));
    const started = new Promise<string[]>((resolve) => {
      replica.queues.start(KEY, UID, async (changes, signal) => {
        resolve(names(changes));
        // It never gets to an end by itself.
        await new Promise((wake) => signal.addEventListener('abort', wake, { once: true }));
        return { holdMs: 1_000 };
      });
    });
    expect(await started).toEqual(names(numbered(3)));
    const seen = recorder();
    second.queues.start(KEY, UID, seen.handle);
    await second.queues.enqueue(KEY, numbered(1, 3));
    replica.die();
    await waitFor('the takeover', () => seen.handled().length === 4, { timeoutMs: 30_000 });
    expect(seen.handled()).toEqual(names(numbered(4)));
  });

  it('hands its batch back at once when it ends, and tells the handler to stop', async () => {
    const second = await start();
    await replica.queues.enqueue(KEY, numbered(3));
    let active = false;
    const stopped = new Promise<boolean>((resolve) => {
      replica.queues.start(KEY, UID, async (_changes, signal) => {
        active = true;
        await new Promise((wake) => signal.addEventListener('abort', wake, { once: true }));
        resolve(true);
        return { holdMs: 600_000 };
      });
    });
    await waitFor('the batch to be active', () => active);
    await replica.queues.stop(KEY, UID);
    expect(await stopped).toBe(true);
    const seen = recorder();
    second.queues.start(KEY, UID, seen.handle);
    await waitFor('the other replica', () => seen.handled().length === 3, { timeoutMs: 4_000 });
    expect(seen.handled()).toEqual(names(numbered(3)));
  });

  it('leaves a batch that one replica hands back to another one at once, in order, and to itself once it is started again', async () => {
    const second = await start();
    const handedBack: string[][] = [];
    const broken: BatchHandler = (changes) => {
      handedBack.push(names(changes));
      return Promise.resolve({ handBack: true });
    };
    replica.queues.start(KEY, UID, broken);
    await replica.queues.enqueue(KEY, numbered(3));
    await waitFor('the broken replica', () => handedBack.length === 1);
    await replica.queues.enqueue(KEY, numbered(2, 3));
    const seen = recorder();
    const started = Date.now();
    second.queues.start(KEY, UID, seen.handle);
    await drained();
    expect(seen.handled()).toEqual(names(numbered(5)));
    expect(Date.now() - started).toBeLessThan(2_000);
    await second.queues.stop(KEY, UID);
    await replica.queues.enqueue(KEY, numbered(2, 5));
    expect(handedBack).toEqual([names(numbered(3))]); // its worker has ended
    replica.queues.start(KEY, UID, seen.handle);
    await drained();
    expect(seen.handled()).toEqual(names(numbered(7)));
  });

  it('holds up nobody with a replica that hands back every batch it gets', async () => {
    const second = await start();
    const seen = recorder();
    second.queues.start(KEY, UID, seen.handle);
    let handedBack = 0;
    const broken: BatchHandler = () => {
      handedBack += 1;
      return Promise.resolve({ handBack: true });
    };
    for (let from = 0; from < 20; from++) {
      replica.queues.start(KEY, UID, broken); // as after a probe that went well
      await replica.queues.enqueue(KEY, numbered(1, from));
      await waitFor('the change', () => seen.handled().length > from, { timeoutMs: 2_000 });
    }
    expect(seen.handled()).toEqual(names(numbered(20)));
    expect(handedBack).toBeGreaterThan(0);
  });

  it('keeps repositories apart: one that is held delays no other', async () => {
    replica.queues.start(KEY, UID, () => Promise.resolve({ holdMs: 600_000 }));
    const seen = recorder();
    replica.queues.start(OTHER, UID, seen.handle);
    await replica.queues.enqueue(KEY, numbered(2));
    await replica.queues.enqueue(OTHER, numbered(2));
    await waitFor('the other repository', () => seen.handled().length === 2);
    expect(await replica.queues.countPending(KEY)).toBe(2);
  });

  describe('when Redis goes away', () => {
    it('loses no change of a batch that is being written, and ends none of them as failed', async () => {
      const attempts: string[][] = [];
      let away = (): void => undefined;
      const redisIsAway = new Promise<void>((resolve) => (away = resolve));
      await replica.queues.enqueue(KEY, numbered(3));
      replica.queues.start(KEY, UID, async (changes) => {
        attempts.push(names(changes));
        if (attempts.length === 1) await redisIsAway; // the push ends while its verdicts can't be stored
        return committed(changes);
      });
      await waitFor('the first attempt', () => attempts.length === 1);
      await redis.kill();
      try {
        await waitFor('the connection to break', () => replica.producer.status !== 'ready');
        away();
      } finally {
        await redis.start();
      }
      await drained();
      const counts = await withQueue((queue) => queue.getJobCounts('completed', 'failed'));
      expect(counts).toEqual({ completed: 3, failed: 0 });
      expect(new Set(attempts.map(String))).toEqual(new Set([String(names(numbered(3)))]));
    });

    it('starts a repository that appears meanwhile as soon as Redis is back', async () => {
      const seen = recorder();
      await redis.stop();
      try {
        await waitFor('the connection to break', () => replica.producer.status !== 'ready');
        replica.queues.start(KEY, UID, seen.handle);
      } finally {
        await redis.start();
      }
      await waitFor('the connection', () => replica.producer.status === 'ready');
      await replica.queues.enqueue(KEY, numbered(2));
      await drained();
      expect(seen.handled()).toEqual(names(numbered(2)));
    });

    it('ends within seconds all the same', async () => {
      await replica.queues.enqueue(KEY, numbered(2));
      const active = new Promise<void>((resolve) => {
        replica.queues.start(KEY, UID, async (_changes, signal) => {
          resolve();
          await new Promise((wake) => signal.addEventListener('abort', wake, { once: true }));
          return { holdMs: 1_000 };
        });
      });
      await active;
      await redis.stop();
      try {
        const started = Date.now();
        await replicas.pop()?.end();
        expect(Date.now() - started).toBeLessThan(8_000);
      } finally {
        await redis.start();
      }
      const seen = recorder();
      const second = await start();
      second.queues.start(KEY, UID, seen.handle);
      await waitFor('another to take over', () => seen.handled().length === 2, { timeoutMs: 30_000 });
      expect(seen.handled()).toEqual(names(numbered(2)));
    });
  });
});
