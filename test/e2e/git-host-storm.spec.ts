import { rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startStage, type Scene, type Stage } from '../support/e2e-stage.ts';
import { countQueued, Diary, historyWhenWritten, tell, withQueue, withRedis } from '../support/faults.ts';
import { metricValue } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

const USERS = ['alice', 'bob@example.com', 'carol', 'dave@example.com'];
/** With the host there, to compare with; and with the host away: more than a batch of 500. */
const CALM_WRITES_EACH = 75;
const WRITES_EACH = 175;
const DRAINED = { timeoutMs: 90_000 };
/** What BullMQ keeps of finished jobs. */
const MOST_KEPT = 1_000;

describe('a storm of changes for a repository whose host is away', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  }, 120_000);
  afterAll(() => stage.stop());

  /** All users write at once, and somebody changes an object of another repository. Returns times in ms. */
  async function weather(
    storm: Diary,
    writesEach: number,
    breeze: Diary,
    calm: Scene,
  ): Promise<{ admission: number; other: number }> {
    let blowing = true;
    const latencies: number[] = [];
    const watch = async (): Promise<void> => {
      while (blowing) {
        const from = Date.now();
        await breeze.write('alice', 'app');
        const written = async (): Promise<boolean> =>
          Number(await calm.remote.git('rev-list', '--count', 'main')) === breeze.size;
        await waitFor('the change', written, { intervalMs: 20 });
        latencies.push(Date.now() - from);
      }
    };
    const blow = async (): Promise<void> => {
      const each = USERS.map(async (user, index) => {
        for (let step = 0; step < writesEach; step++) await storm.write(user, `map-${index}`);
      });
      await Promise.all(each).finally(() => (blowing = false));
    };
    const admission = await meanOf(() => Promise.all([blow(), watch()]));
    latencies.sort((a, b) => a - b);
    return { admission: Math.round(1_000 * admission), other: latencies[latencies.length >> 1] ?? 0 };
  }

  /** Seconds that admission calls took on average. */
  async function meanOf(work: () => Promise<unknown>): Promise<number> {
    const look = async (): Promise<[number, number]> => {
      const metrics = await stage.operator.metrics();
      const name = 'gitops_reverser_admission_duration_seconds';
      return [metricValue(metrics, `${name}_sum`), metricValue(metrics, `${name}_count`)];
    };
    const [sum, count] = await look();
    await work();
    const [laterSum, laterCount] = await look();
    return (laterSum - sum) / (laterCount - count);
  }

  it('slows neither the webhook nor another repository, is written in order, and leaves nothing behind', async () => {
    const [stormy, calm] = [await stage.scene(), await stage.scene()];
    const [storm, breeze] = [new Diary(stage, stormy), new Diary(stage, calm)];
    await breeze.write('alice', 'app');
    await historyWhenWritten(breeze, calm);
    const before = await weather(storm, CALM_WRITES_EACH, breeze, calm);
    await historyWhenWritten(storm, stormy, DRAINED);
    const away = `${stormy.remote.dir}.away`;
    await rename(stormy.remote.dir, away);
    const during = await weather(storm, WRITES_EACH, breeze, calm);
    for (const [when, { admission, other }] of [['there', before] as const, ['away', during] as const])
      tell(
        `with the host ${when}`,
        `an admission call ${admission} ms on average, another repository ${other} ms (median)`,
      );
    expect(during.admission).toBeLessThan(2 * before.admission + 10);
    expect(during.other).toBeLessThan(2 * before.other + 100);
    const queued = (): Promise<number> => countQueued(stage.redis, stage.operator, `${stormy.namespace}/repo`);
    await waitFor('all changes to be queued', async () => (await queued()) === USERS.length * WRITES_EACH);

    await rename(away, stormy.remote.dir);
    expect(await historyWhenWritten(storm, stormy, DRAINED)).toEqual(storm.history);
    await waitFor('the queue to be empty', async () => (await queued()) === 0, DRAINED);
    await expectNothingLeft(`${stormy.namespace}/repo`);
  }, 180_000);

  /** Neither attempts nor texts nor verdicts; finished jobs within their bound. */
  async function expectNothingLeft(repository: string): Promise<void> {
    const prefix = stage.operator.env['QUEUE_PREFIX'];
    const fields = await withRedis(stage.redis, async (client) => {
      const keys = await client.keys(`${prefix}:ledger:*`);
      const all = await Promise.all(keys.map((key) => client.hkeys(key)));
      return all.flat().filter((field) => /^[at]:/.test(field));
    });
    expect(fields).toEqual([]);
    const verdicts = await withRedis(stage.redis, (client) => client.keys(`${prefix}:verdicts:*`));
    expect(verdicts).toEqual([]);
    const counts = await withQueue(stage.redis, stage.operator, repository, (queue) =>
      queue.getJobCounts('completed', 'failed'),
    );
    expect(counts['failed']).toBe(0);
    expect(counts['completed']).toBeLessThanOrEqual(MOST_KEPT);
  }
});
