import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startStage, type Scene, type Stage } from '../support/e2e-stage.ts';
import { countQueued, Diary, historyOf, historyWhenWritten, startAgain, tell, withRedis } from '../support/faults.ts';
import { metricValue, waitForReady } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

/** How long Redis is away; the workers' connections and jobs outlive it. */
const AWAY_MS = 3_000;
/** The API server waits 2 s for the webhook; the webhook's own deadline is 0.5 s, and the rest is a busy machine's. */
const LONGEST_WRITE_MS = 1_500;
const HEALED = { timeoutMs: 45_000 };

describe('Redis', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage({ redis: { appendfsync: 'always' } });
  }, 120_000);
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  const command = (...[name, ...args]: [string, ...string[]]): Promise<unknown> =>
    withRedis(stage.redis, (client) => client.call(name, ...args));
  const signal = (name: NodeJS.Signals): Promise<unknown> => Promise.resolve(process.kill(stage.redis.pid(), name));

  /** Three users who write for a while to one object and each to one of their own. Returns the longest write, in ms. */
  async function writeFor(diary: Diary, durationMs: number): Promise<number> {
    const until = Date.now() + durationMs;
    let longest = 0;
    const write = async (user: string, name: string): Promise<void> => {
      const from = Date.now();
      await diary.write(user, name);
      longest = Math.max(longest, Date.now() - from);
    };
    const writers = ['alice', 'bob@example.com', 'carol'].map(async (user) => {
      while (Date.now() < until) {
        await write(user, `of-${user.slice(0, 3)}`);
        if (user === 'alice') await write(user, 'shared');
      }
    });
    await Promise.all(writers);
    return longest;
  }

  const failOpenCount = async (): Promise<number> => {
    const { stdout } = await stage.cluster.tryKubectl(['get', '--raw', '/metrics']);
    return metricValue(stdout, 'apiserver_admission_webhook_fail_open_count');
  };

  async function suspend(scene: Scene, suspended: boolean): Promise<void> {
    await stage.cluster.admin.patch(scene.repository, { spec: { suspend: suspended } });
    const wanted = suspended ? ({ status: 'False', reason: 'Suspended' } as const) : ({ status: 'True' } as const);
    await waitForReady(stage.cluster, scene.repository, wanted, HEALED);
  }

  const untilQueued = (scene: Scene, count: number): Promise<boolean> =>
    waitFor(
      `${count} queued changes`,
      async () => (await countQueued(stage.redis, stage.operator, `${scene.namespace}/repo`)) === count,
    );

  async function requestResync(scene: Scene): Promise<void> {
    const mark = new Date().toISOString();
    const annotations = { 'configbutler.ai/resync-requested-at': mark };
    await stage.cluster.admin.patch(scene.repository, { metadata: { annotations } });
  }

  describe('that is away for seconds', () => {
    it.each([
      ['hangs', () => signal('SIGSTOP'), () => signal('SIGCONT')],
      ['is stopped', () => stage.redis.stop(), () => stage.redis.start()],
      ['is killed', () => stage.redis.kill(), () => stage.redis.start()],
      [
        'is out of memory',
        () => command('CONFIG', 'SET', 'maxmemory', '1'),
        () => command('CONFIG', 'SET', 'maxmemory', '0'),
      ],
      [
        'is read-only, as a replica of a host that is dead',
        () => command('REPLICAOF', '127.0.0.1', '1'),
        () => command('REPLICAOF', 'NO', 'ONE'),
      ],
    ])(
      'because it %s: every call is allowed in time, and every change arrives by its author, in order',
      async (_why, harm, heal) => {
        const scene = await stage.scene();
        const diary = new Diary(stage, scene);
        await writeFor(diary, 300);
        const before = await failOpenCount();
        await harm();
        const longest = await writeFor(diary, AWAY_MS).finally(heal);
        expect(longest).toBeLessThan(LONGEST_WRITE_MS);
        expect(await stage.operator.isReady()).toBe(true);
        await writeFor(diary, 300);
        expect(await historyWhenWritten(diary, scene, HEALED)).toEqual(diary.history);
        expect(await failOpenCount()).toBe(before);
        tell('longest write while Redis is away', `${longest} ms of ${diary.size} writes`);
      },
      90_000,
    );
  });

  it('that is killed with changes in its queue: with appendfsync always, none is lost', async () => {
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await suspend(scene, true);
    await writeFor(diary, 300);
    await untilQueued(scene, diary.size);
    await stage.redis.kill();
    await stage.redis.start();
    await suspend(scene, false);
    expect(await historyWhenWritten(diary, scene, HEALED)).toEqual(diary.history);
  }, 90_000);

  it.each([
    ['loses the last second, as with appendfsync everysec when its machine dies', loseTheEnd],
    ['is emptied', () => command('FLUSHALL')],
  ])(
    'that %s: later changes are captured, and a resync on request brings what was lost as observed',
    async (_how, harm) => {
      const scene = await stage.scene();
      const diary = new Diary(stage, scene);
      await diary.write('alice', 'before');
      await historyWhenWritten(diary, scene);
      await suspend(scene, true);
      const size = await appendOnlySize();
      await diary.write('alice', 'lost');
      await diary.write('bob@example.com', 'before', { lost: 'yes' });
      await untilQueued(scene, 2);
      await harm(size);
      await suspend(scene, false);
      await diary.write('carol', 'after');
      await scene.remote.waitForCommit('[CREATE] ConfigMap/after', HEALED);
      await requestResync(scene);
      const resync = await scene.remote.waitForCommit((commit) => commit.message.startsWith('[RESYNC]'), HEALED);
      expect(resync.author.name).toBe('GitOps Reverser');
      await waitFor('both files', async () => {
        const [lost, before] = await Promise.all(['lost', 'before'].map((name) => readFile(scene, name)));
        return lost !== undefined && before?.includes('lost: "yes"') === true;
      });
      const { observed, ...known } = historyOf(await scene.commits());
      expect(observed?.length).toBeGreaterThan(0);
      expect(known).toEqual({ before: diary.history['before']!.slice(0, 1), after: diary.history['after'] });
      await diary.write('dave@example.com', 'before');
      await scene.remote.waitForCommit(`by user/dave@example.com`, HEALED);
    },
    90_000,
  );

  const readFile = (scene: Scene, name: string): Promise<string | undefined> =>
    scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/${name}.yaml`);

  /** The file that Redis appends to, and its length. */
  async function appendOnlySize(): Promise<{ file: string; length: number }> {
    const [, dir] = (await command('CONFIG', 'GET', 'dir')) as string[];
    const folder = join(dir!, 'appendonlydir');
    const name = (await readdir(folder)).find((each) => each.endsWith('.incr.aof'));
    const file = join(folder, name!);
    return { file, length: (await stat(file)).size };
  }

  async function loseTheEnd({ file, length }: { file: string; length: number }): Promise<void> {
    await stage.redis.kill();
    await truncate(file, length);
    await stage.redis.start();
  }

  it('that is away for longer than memory lasts: the loss is counted, and repaired without being asked', async () => {
    await stage.operator.kill();
    const ended = stage.operator;
    stage.operator = await startAgain(stage, { SPILL_MAX_RECORDS: '5' });
    await ended.remove();
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await diary.write('alice', 'before');
    await historyWhenWritten(diary, scene);
    await stage.redis.stop();
    for (let number = 1; number <= 8; number++) await diary.write('alice', `map-${number}`);
    const lost = { result: 'dropped', reason: 'spill-full' };
    expect(metricValue(await stage.operator.metrics(), 'gitops_reverser_events_processed_total', lost)).toBe(3);
    await stage.operator.waitForLog('a record is lost');
    await stage.redis.start();
    await waitFor('all files', async () => (await scene.remote.files()).length === 9, HEALED);
    const { observed, ...known } = historyOf(await scene.commits());
    const kept = ['before', 'map-1', 'map-2', 'map-3', 'map-4', 'map-5'].map((name) => [name, diary.history[name]]);
    expect(known).toEqual(Object.fromEntries(kept));
    expect(observed?.length).toBeGreaterThan(0);
  }, 90_000);
});
