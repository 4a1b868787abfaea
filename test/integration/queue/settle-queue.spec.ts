import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startQueueReplica, type QueueReplica } from '../../support/queue-module.ts';
import { startRedis, type Redis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

describe('the settle queue', () => {
  let redis: Redis;
  let replica: QueueReplica;
  let prefix: string;
  const replicas: QueueReplica[] = [];

  beforeAll(async () => {
    redis = await startRedis();
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

  it('looks once at an object that was woken several times before its turn', async () => {
    for (let count = 0; count < 5; count++) await replica.settle.wake(['a']);
    const seen: string[] = [];
    replica.settle.start((id) => Promise.resolve(void seen.push(id)));
    await waitFor('the look', () => seen.length > 0);
    await replica.settle.wake(['marker']);
    await waitFor('the marker', () => seen.includes('marker'));
    expect(seen).toEqual(['a', 'marker']);
  });

  it('makes one more look for wake-ups that come during a look, and never two at a time, over all replicas', async () => {
    const second = await start();
    const running = new Map<string, number>();
    let most = 0;
    let looks = 0;
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const settle = async (id: string): Promise<void> => {
      const now = (running.get(id) ?? 0) + 1;
      running.set(id, now);
      most = Math.max(most, now);
      looks++;
      await gate;
      running.set(id, now - 1);
    };
    replica.settle.start(settle);
    second.settle.start(settle);
    await replica.settle.wake(['a']);
    await waitFor('the first look', () => looks === 1);
    await Promise.all([replica.settle.wake(['a']), second.settle.wake(['a']), replica.settle.wake(['a', 'b'])]);
    await waitFor('the look at b, which waits for nobody', () => looks === 2);
    release();
    await waitFor('one more look at a', () => looks === 3);
    await replica.settle.wake(['marker']);
    await waitFor('the marker', () => looks === 4);
    expect(most).toBe(1);
  });

  it('misses no wake-up under load: what was recorded before a wake-up is seen by a look after it', async () => {
    const recorded = new Map<string, number>();
    const seen = new Map<string, number>();
    replica.settle.start(async (id) => {
      const now = recorded.get(id) ?? 0;
      await new Promise((resolve) => setImmediate(resolve));
      seen.set(id, now);
    });
    const ids = Array.from({ length: 10 }, (_, index) => `object-${index}`);
    for (let round = 1; round <= 40; round++) {
      await Promise.all(
        ids.map((id) => {
          recorded.set(id, round);
          return replica.settle.wake([id]);
        }),
      );
    }
    await waitFor('the last look at each', () => ids.every((id) => seen.get(id) === 40));
  });

  it('goes on with an object after a look at it failed', async () => {
    const seen: string[] = [];
    replica.settle.start((id) => {
      seen.push(id);
      return seen.length === 1 ? Promise.reject(new Error('no')) : Promise.resolve();
    });
    await replica.settle.wake(['a']);
    await waitFor('the failed look', () => seen.length === 1);
    await waitFor('another look', async () => {
      await replica.settle.wake(['a']);
      return seen.length >= 2;
    });
  });

  it('rejects a wake-up at once while Redis is away, and works again when it is back', async () => {
    const seen: string[] = [];
    replica.settle.start((id) => Promise.resolve(void seen.push(id)));
    await replica.settle.wake(['before']);
    await waitFor('the first look', () => seen.includes('before'));
    await redis.stop();
    try {
      await waitFor('the connection to break', () => replica.producer.status !== 'ready');
      const started = Date.now();
      await expect(replica.settle.wake(['during'])).rejects.toThrow();
      expect(Date.now() - started).toBeLessThan(500);
    } finally {
      await redis.start();
    }
    await waitFor('a wake-up to be taken', () =>
      replica.settle.wake(['after']).then(
        () => true,
        () => false,
      ),
    );
    await waitFor('the look', () => seen.includes('after'));
  });
});
