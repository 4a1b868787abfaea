import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis as RedisClient } from 'ioredis';
import type { Settings } from '../../../apps/reverser/src/config/settings.ts';
import { RedisCommitSightings } from '../../../apps/reverser/src/redis/redis-commit-sightings.service.ts';
import type { RedisConnections } from '../../../apps/reverser/src/redis/redis-connections.service.ts';
import { startRedis, type Redis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

describe('first sightings of commits', () => {
  let redis: Redis;
  let producer: RedisClient;
  let sightings: RedisCommitSightings;
  beforeAll(async () => {
    redis = await startRedis();
    producer = new RedisClient(redis.url);
    sightings = new RedisCommitSightings({ producer } as RedisConnections, { queuePrefix: 'test' } as Settings);
  });
  afterAll(async () => {
    producer.disconnect();
    await redis.remove();
  });

  it('stay what they were first, for each repository and commit', async () => {
    expect(await sightings.firstSeen('one', 'abc', 1_000)).toBe(1_000);
    expect(await sightings.firstSeen('one', 'abc', 2_000)).toBe(1_000);
    expect(await sightings.firstSeen('two', 'abc', 3_000)).toBe(3_000);
    expect(await sightings.firstSeen('one', 'def', 4_000)).toBe(4_000);
    expect(await producer.pttl('test:seen:one:abc')).toBeGreaterThan(0);
  });

  it('are the same for all who ask at once', async () => {
    const seen = await Promise.all([5_000, 6_000, 7_000].map((now) => sightings.firstSeen('one', 'ghi', now)));
    expect(new Set(seen).size).toBe(1);
  });

  it('need nothing that Redis 6.2 refuses, such as SET with both NX and GET', async () => {
    const monitor = await producer.monitor();
    const commands: string[] = [];
    monitor.on('monitor', (_time: string, args: string[]) => void commands.push(args.join(' ')));
    await sightings.firstSeen('one', 'jkl', 8_000);
    await producer.echo('all seen');
    await waitFor('the commands', () => commands.some((command) => command.includes('all seen')));
    monitor.disconnect();
    expect(commands.filter((command) => / NX\b/.test(command) && / GET\b/.test(command))).toEqual([]);
  });
});
