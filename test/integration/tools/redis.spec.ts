import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis as RedisClient } from 'ioredis';
import { removeKeys } from '../../../tools/redis/remove-keys.ts';
import { startRedis, type Redis, type RedisOptions } from '../../support/redis.ts';

describe('a Redis of its own', () => {
  const cleanup: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of cleanup.splice(0).reverse()) await step();
  });

  async function start(options?: RedisOptions): Promise<Redis> {
    const redis = await startRedis(options);
    cleanup.push(() => redis.remove());
    return redis;
  }

  function connect(redis: Redis): RedisClient {
    const client = new RedisClient(redis.url, { maxRetriesPerRequest: null });
    client.on('error', () => undefined); // it is killed on purpose
    cleanup.push(() => client.disconnect());
    return client;
  }

  it('keeps what it acknowledged through kill -9 with appendfsync always', async () => {
    const redis = await start({ appendfsync: 'always' });
    const client = connect(redis);
    await client.set('key', 'value');
    await redis.kill();
    await redis.start();
    expect(await client.get('key')).toBe('value');
  });

  it('comes back empty without an append-only file', async () => {
    const redis = await start();
    const client = connect(redis);
    await client.set('key', 'value');
    await redis.stop();
    await redis.start();
    expect(await client.get('key')).toBeNull();
  });

  it('is left with the keys of others alone, however many there were', async () => {
    const redis = await start();
    const client = connect(redis);
    const own = Array.from({ length: 2_500 }, (_, index) => [`one:ledger:${index}`, 'v']);
    await client.mset(...own.flat(), 'one-more:ledger', 'v', 'other:one:ledger', 'v');
    await removeKeys(redis.url, 'one');
    expect((await client.keys('*')).sort()).toEqual(['one-more:ledger', 'other:one:ledger']);
  });

  it('fails to remove keys from one that is away, and does not hang', async () => {
    const redis = await start();
    await redis.stop();
    await expect(removeKeys(redis.url, 'one')).rejects.toThrow();
  });

  it('passes more arguments on', async () => {
    const redis = await start({ extraArgs: ['--maxmemory', '20mb'] });
    expect(await connect(redis).config('GET', 'maxmemory')).toEqual(['maxmemory', String(20 * 1024 * 1024)]);
  });
});
