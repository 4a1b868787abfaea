import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis as RedisClient } from 'ioredis';
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

  it('passes more arguments on', async () => {
    const redis = await start({ extraArgs: ['--maxmemory', '20mb'] });
    expect(await connect(redis).config('GET', 'maxmemory')).toEqual(['maxmemory', String(20 * 1024 * 1024)]);
  });
});
