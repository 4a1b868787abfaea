import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Queue } from 'bullmq';
import { Redis as RedisClient } from 'ioredis';
import type { Change } from '#domain';
import { changeOf, startQueueReplica, type QueueReplica } from '../../support/queue-module.ts';
import { startRedis, type Redis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

const KEY = { namespace: 'team', name: 'audit' };
/** Enough for many reads of Redis from its socket, between which its memory limit may change. */
const CONTENT = 'x'.repeat(4_000);

/** Sets and lifts the limit as fast as Redis answers, from a thread of its own: many times while one call is served. */
const TOGGLE = `
  const { parentPort, workerData } = require('node:worker_threads');
  const socket = require('node:net').connect(workerData.port, '127.0.0.1');
  let full = false;
  const next = () => socket.write('CONFIG SET maxmemory ' + ((full = !full) ? 1 : 0) + '\\r\\n');
  socket.once('data', () => parentPort.postMessage('toggling')).on('data', next);
  next();
`;

/** Within them Redis is seen full almost always; on a busy machine the limit may not change in time. */
const MOST_ROUNDS = 20;

const numbered = (count: number, from = 0): Change[] =>
  Array.from({ length: count }, (_, index) => changeOf(`c${from + index}`, { content: CONTENT }));

describe('adding changes to the queue of a repository', () => {
  let redis: Redis;
  let prefix: string;
  let replica: QueueReplica;
  let person: RedisClient;

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    prefix = `test-${randomUUID()}`;
    replica = await startQueueReplica(redis.url, prefix);
    person = new RedisClient(redis.url);
  });
  afterEach(async () => {
    await person.config('SET', 'maxmemory', '0');
    person.disconnect();
    await replica.end();
  });

  const limitMemory = (bytes: number): Promise<unknown> => person.config('SET', 'maxmemory', String(bytes));

  /** Until Redis takes them, as their callers do. Returns how often it did not. */
  async function insist(changes: Change[], limit = Infinity): Promise<number> {
    let refused = 0;
    await waitFor('Redis to take the changes', () =>
      replica.queues.enqueue(KEY, changes).then(
        () => true,
        () => {
          refused += 1;
          return refused >= limit;
        },
      ),
    );
    return refused;
  }

  /** Oldest first. */
  async function waiting(): Promise<string[]> {
    const queue = new Queue<Change>(`repository.${KEY.namespace}.${KEY.name}`, {
      connection: { url: redis.url },
      prefix,
    });
    try {
      return (await queue.getWaiting(0, -1)).map(({ data }) => data.object.name);
    } finally {
      await queue.close();
    }
  }

  it('keeps their order though Redis is out of memory now and then while they come', async () => {
    const changes: Change[] = [];
    let refused = 0;
    const toggling = new Worker(TOGGLE, { eval: true, workerData: { port: redis.port } });
    await once(toggling, 'message');
    for (let round = 0; refused === 0 && round < MOST_ROUNDS; round++) {
      const more = numbered(500, changes.length);
      changes.push(...more);
      refused = await insist(more, 10);
    }
    await toggling.terminate();
    await limitMemory(0);
    expect(refused).toBeGreaterThan(0);
    await insist(changes.slice(-500));
    expect(await waiting()).toEqual(changes.map(({ object }) => object.name));
  });

  it('adds none of them where Redis is out of memory, and all once it is not', async () => {
    await person.script('FLUSH');
    await limitMemory(1);
    await expect(replica.queues.enqueue(KEY, numbered(3))).rejects.toThrow();
    await limitMemory(0);
    expect(await waiting()).toEqual([]);
    await replica.queues.enqueue(KEY, numbered(3));
    expect(await waiting()).toEqual(['c0', 'c1', 'c2']);
  });

  it('goes on after Redis has forgotten its scripts', async () => {
    await replica.queues.enqueue(KEY, numbered(2));
    await person.script('FLUSH');
    await replica.queues.enqueue(KEY, numbered(5));
    expect(await waiting()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
  });

  it('splits what is too large for one transaction, in order', async () => {
    const changes = numbered(6).map((change) => ({ ...change, content: 'x'.repeat(1_500_000) }));
    await replica.queues.enqueue(KEY, changes);
    expect(await waiting()).toEqual(changes.map(({ object }) => object.name));
  });
});
