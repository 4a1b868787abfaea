import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Change } from '#domain';
import type { BatchHandler } from '#queue';
import { changeOf, startQueueReplica, type QueueReplica } from '../../support/queue-module.ts';
import { startRedis, type Redis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

const KEY = { namespace: 'team', name: 'audit' };
const forever = new AbortController().signal;
const current = (): Promise<boolean> => Promise.resolve(true);

const numbered = (count: number, from = 0): Change[] =>
  Array.from({ length: count }, (_, index) => changeOf(`c${index + from}`));
const names = (changes: Change[]): string[] => changes.map(({ object }) => object.name);

describe('the queue of a GitRepoConfig that is deleted', () => {
  let redis: Redis;
  let prefix: string;
  let one: QueueReplica;
  let two: QueueReplica;

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    prefix = `test-${randomUUID()}`;
    one = await startQueueReplica(redis.url, prefix);
    two = await startQueueReplica(redis.url, prefix);
    await one.queues.own(KEY, 'old', forever, current);
    await two.queues.own(KEY, 'old', forever, current);
  });
  afterEach(async () => {
    await Promise.all([one.end(), two.end()]);
  });

  const seen: string[] = [];
  beforeEach(() => void seen.splice(0));
  const write: BatchHandler = (changes) => {
    seen.push(...names(changes));
    return Promise.resolve({ verdicts: changes.map(({ eventId }) => ({ result: 'unchanged', eventId })) });
  };
  const never: BatchHandler = async (_changes, signal) => {
    await new Promise((wake) => signal.addEventListener('abort', wake, { once: true }));
    return { handBack: true };
  };

  const drained = (): Promise<boolean> =>
    waitFor('the queue to be empty', async () => (await two.queues.countPending(KEY)) === 0);

  /** What is in Redis of the queue and does not go by itself. */
  async function leftInRedis(): Promise<string[]> {
    const keys = (await one.producer.keys(`${prefix}:*`)).filter((key) => key.includes(KEY.name));
    const ttls = await Promise.all(keys.map((key) => one.producer.pttl(key)));
    return keys.filter((_, index) => ttls[index] === -1);
  }

  it('is gone from Redis with all that waits, is being written, was written or refused', async () => {
    one.queues.start(KEY, 'old', (changes) =>
      Promise.resolve({
        verdicts: changes.map(({ eventId }, index) =>
          index === 0
            ? { result: 'refused', eventId, code: 'PushRefused', message: '' }
            : { result: 'unchanged', eventId },
        ),
      }),
    );
    await one.queues.enqueue(KEY, numbered(600));
    await drained();
    await one.queues.stop(KEY, 'old');
    let active = false;
    two.queues.start(KEY, 'old', (changes, signal) => {
      active = true;
      return never(changes, signal);
    });
    await one.queues.enqueue(KEY, numbered(900, 600));
    await waitFor('a batch to be active', () => active);
    await one.queues.disown(KEY, 'old');
    await two.queues.stop(KEY, 'old');
    await two.queues.disown(KEY, 'old');
    expect(await leftInRedis()).toEqual([]);
  });

  it('does not hand its changes on to a new one of the same name', async () => {
    await one.queues.enqueue(KEY, numbered(5));
    await one.queues.disown(KEY, 'old');
    await one.queues.own(KEY, 'new', forever, current);
    await one.queues.enqueue(KEY, numbered(2, 5));
    one.queues.start(KEY, 'new', write);
    await drained();
    expect(seen).toEqual(['c5', 'c6']);
  });

  it('does so too where nobody heard of the deletion', async () => {
    await one.queues.enqueue(KEY, numbered(5));
    await two.queues.own(KEY, 'new', forever, current);
    await one.queues.enqueue(KEY, numbered(2, 5));
    two.queues.start(KEY, 'new', write);
    await drained();
    expect(seen).toEqual(['c5', 'c6']);
  });

  it("leaves the new one's changes alone where a replica hears of the deletion late", async () => {
    await one.queues.disown(KEY, 'old');
    await one.queues.own(KEY, 'new', forever, current);
    await one.queues.enqueue(KEY, numbered(3));
    await two.queues.disown(KEY, 'old');
    await two.queues.own(KEY, 'new', forever, current);
    two.queues.start(KEY, 'new', write);
    await drained();
    expect(seen).toEqual(['c0', 'c1', 'c2']);
  });

  it("does not give the new one's changes to a replica that has not heard of it", async () => {
    const wrong: string[] = [];
    two.queues.start(KEY, 'old', (changes, signal) => {
      wrong.push(...names(changes));
      return write(changes, signal);
    });
    await one.queues.disown(KEY, 'old');
    await one.queues.own(KEY, 'new', forever, current);
    await one.queues.enqueue(KEY, numbered(3));
    one.queues.start(KEY, 'new', write);
    await drained();
    expect(seen).toEqual(['c0', 'c1', 'c2']);
    expect(wrong).toEqual([]);
  });

  it('is not taken back from the new one by a replica that has heard of the old one late', async () => {
    const ending = new AbortController();
    await one.queues.own(KEY, 'new', forever, current);
    await one.queues.enqueue(KEY, numbered(3));
    let asked = 0;
    const owned = two.queues.own(KEY, 'old', ending.signal, () => {
      asked += 1;
      return Promise.resolve(false);
    });
    await waitFor('the question', () => asked > 0);
    ending.abort(new Error('deleted, as it hears now'));
    await expect(owned).rejects.toThrow('deleted, as it hears now');
    one.queues.start(KEY, 'new', write);
    await drained();
    expect(seen).toEqual(['c0', 'c1', 'c2']);
  });

  it('is taken again by the one that there is where Redis says otherwise, as after a restore of its data', async () => {
    await one.queues.own(KEY, 'new', forever, current);
    expect(await one.queues.keep(KEY, 'new')).toBe(true);
    await one.producer.hset(`${prefix}:queue-owners`, 'team/audit', 'old');
    expect(await one.queues.keep(KEY, 'new')).toBe(false);
    await one.queues.own(KEY, 'new', forever, current);
    expect(await one.queues.keep(KEY, 'new')).toBe(true);
  });

  it('takes no change that comes late, and keeps none', async () => {
    await one.queues.disown(KEY, 'old');
    await two.queues.enqueue(KEY, numbered(3));
    expect(await leftInRedis()).toEqual([]);
  });

  it('is remembered for days, and not for ever', async () => {
    const hours = (count: number): string => `deleted:${Date.now() - count * 3_600_000}`;
    await one.producer.hset(`${prefix}:queue-owners`, 'team/long-ago', hours(50), 'team/lately', hours(40));
    await one.queues.disown(KEY, 'old');
    const owners = [...(await one.queues.listOwners())].sort();
    expect(owners).toEqual([
      ['team/audit', 'deleted'],
      ['team/lately', 'deleted'],
    ]);
  });

  it('is still there after a restart of whoever writes it', async () => {
    await one.queues.enqueue(KEY, numbered(3));
    await two.queues.own(KEY, 'old', forever, current);
    expect([...(await two.queues.listOwners())]).toEqual([['team/audit', 'old']]);
    two.queues.start(KEY, 'old', write);
    await drained();
    expect(seen).toEqual(['c0', 'c1', 'c2']);
  });

  it('is known again after Redis was emptied, and changes that came meanwhile stay', async () => {
    await one.producer.flushall();
    await one.queues.enqueue(KEY, numbered(3));
    await one.queues.keep(KEY, 'old');
    await two.queues.own(KEY, 'old', forever, current);
    two.queues.start(KEY, 'old', write);
    await drained();
    expect(seen).toEqual(['c0', 'c1', 'c2']);
  });

  it('goes once Redis is back when it was away', async () => {
    await one.queues.enqueue(KEY, numbered(3));
    process.kill(redis.pid(), 'SIGSTOP');
    const disowned = one.queues.disown(KEY, 'old');
    process.kill(redis.pid(), 'SIGCONT');
    await disowned;
    expect(await leftInRedis()).toEqual([]);
  });

  it('is waited for no longer than its GitRepoConfig lives', async () => {
    const ending = new AbortController();
    await one.lock.hold('queue of team/audit', forever, async () => {
      const owned = two.queues.own(KEY, 'new', ending.signal, current);
      ending.abort(new Error('deleted meanwhile'));
      await expect(owned).rejects.toThrow('deleted meanwhile');
    });
  });
});
