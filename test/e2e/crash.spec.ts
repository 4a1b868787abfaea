import { rename } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startDenyingWebhook } from '../support/e2e-denying-webhook.ts';
import { configMap, startStage, type Scene, type Stage } from '../support/e2e-stage.ts';
import {
  countAttempts,
  countQueued,
  Diary,
  historyOf,
  historyWhenWritten,
  setHook,
  startAgain,
} from '../support/faults.ts';
import type { Operator } from '../support/operator.ts';
import { startWatchman } from '../support/redis-watchman.ts';
import { waitForReady } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

/** A job whose worker died is handed out again once its lock has ended (8 s) and that was noticed (2 s). */
const TAKEOVER = { timeoutMs: 30_000 };
/** A comparison that was under way is taken over, the dead replica is given up, and then the repository's queue is taken over. */
const FOUND = { timeoutMs: 60_000 };
const REPOSITORY = 'repo';

describe('kill -9 of the operator', () => {
  let stage: Stage;
  const ended: Operator[] = [];
  beforeAll(async () => {
    stage = await startStage({ redis: { appendfsync: 'always' } });
  }, 120_000);
  afterEach(() => stage.endScenes());
  afterAll(async () => {
    await Promise.all(ended.map((operator) => operator.remove()));
    await stage.stop();
  });

  async function restart(env: Record<string, string> = {}): Promise<void> {
    ended.push(stage.operator);
    stage.operator = await startAgain(stage, env);
  }

  /** Writes by three users to two objects, in turn. */
  async function writeSix(diary: Diary): Promise<void> {
    const users = ['alice', 'bob@example.com', 'carol'];
    for (let turn = 0; turn < 6; turn++) await diary.write(users[turn % 3]!, `map-${turn % 2}`);
  }

  const untilQueued = (scene: Scene, count: number): Promise<boolean> =>
    waitFor(
      `${count} queued changes`,
      async () => (await countQueued(stage.redis, stage.operator, `${scene.namespace}/${REPOSITORY}`)) === count,
    );

  it('after the write was recorded, and before the API server stored it: it is committed once, by its author', async () => {
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await diary.write('bob@example.com', 'app');
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    // Somebody else's webhook keeps the API server from storing what ours has recorded.
    const slow = await startDenyingWebhook(stage.cluster, scene.namespace, async ({ userInfo }) => {
      if (userInfo.username === 'alice') await held;
      return false;
    });
    try {
      const writing = diary.write('alice', 'app');
      await waitFor('the attempt in the ledger', async () => (await countAttempts(stage.redis, stage.operator)) === 1);
      await stage.operator.kill();
      letGo();
      await writing;
    } finally {
      letGo();
      await slow.stop();
    }
    await restart();
    expect(await historyWhenWritten(diary, scene, TAKEOVER)).toEqual(diary.history);
    await diary.write('carol', 'app');
    expect(await historyWhenWritten(diary, scene, TAKEOVER)).toEqual(diary.history);
  }, 60_000);

  it('after a change was queued, and before the ledger knew: it is committed once', async () => {
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await diary.write('bob@example.com', 'app');
    await historyWhenWritten(diary, scene, TAKEOVER);
    await stage.operator.stop();
    const watchman = await startWatchman(stage.redis);
    try {
      await restart({ REDIS_URL: watchman.url });
      // The job, then the script that ends the attempt in the ledger.
      const held = watchman.holdAfter(['"origin":"admitted"', "'HINCRBY', KEYS[1], 'rev'"]);
      await diary.write('alice', 'app');
      await held;
      expect(await countQueued(stage.redis, stage.operator, `${scene.namespace}/${REPOSITORY}`)).toBe(1);
      expect(await countAttempts(stage.redis, stage.operator)).toBe(1);
      await stage.operator.kill();
    } finally {
      watchman.close();
    }
    await restart({ REDIS_URL: stage.redis.url });
    expect(await historyWhenWritten(diary, scene, TAKEOVER)).toEqual(diary.history);
    await waitFor('the verdict', async () => (await countAttempts(stage.redis, stage.operator)) === 0, TAKEOVER);
    await diary.write('carol', 'app');
    expect(await historyWhenWritten(diary, scene, TAKEOVER)).toEqual(diary.history);
  }, 60_000);

  it('after the changes were queued, while the Git host is away: all are there in order when it is back', async () => {
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    const away = `${scene.remote.dir}.away`;
    await rename(scene.remote.dir, away);
    await writeSix(diary);
    await untilQueued(scene, 6);
    await stage.operator.kill();
    await rename(away, scene.remote.dir);
    await restart();
    expect(await historyWhenWritten(diary, scene, TAKEOVER)).toEqual(diary.history);
  }, 60_000);

  it('while it holds a record in memory, since Redis is away: the author is lost, and the state is not', async () => {
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await diary.write('bob@example.com', 'app');
    await historyWhenWritten(diary, scene, TAKEOVER);
    await stage.redis.stop();
    try {
      await stage.cluster.asUser('alice').patch(configMap(scene, 'app'), { data: { step: 'lost' } });
      await stage.operator.kill();
    } finally {
      await stage.redis.start();
    }
    await restart();
    await scene.remote.waitForCommit('[RESYNC] ConfigMap/app', FOUND);
    expect(await scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/app.yaml`)).toContain('step: lost');
    await diary.write('carol', 'app');
    const { observed, ...known } = historyOf(await scene.waitForCommits(3));
    expect(observed).toEqual([expect.stringContaining('[RESYNC] ConfigMap/app')]);
    expect(known).toEqual(diary.history);
  }, 120_000);

  it.each([
    ['after the commits were made, and the push is lost', 'pre-receive', 'exit 1'],
    ['after the commits were made, and the push lands all the same', 'pre-receive', 'exit 0'],
    ['after the push, and before it was acknowledged', 'post-receive', 'exit 0'],
  ] as const)(
    '%s: each write is committed once, in order, by its author',
    async (_when, hook, verdict) => {
      const scene = await stage.scene();
      const diary = new Diary(stage, scene);
      await stage.cluster.admin.patch(scene.repository, { spec: { suspend: true } });
      await waitForReady(stage.cluster, scene.repository, { status: 'False', reason: 'Suspended' });
      await writeSix(diary);
      await untilQueued(scene, 6);
      await setHook(
        scene.remote,
        hook,
        `test -e killed || { touch killed; kill -9 ${stage.operator.pid}; ${verdict}; }`,
      );
      await stage.cluster.admin.patch(scene.repository, { spec: { suspend: false } });
      expect(await stage.operator.exited).toEqual({ code: null, signal: 'SIGKILL' });
      await restart();
      expect(await historyWhenWritten(diary, scene, TAKEOVER)).toEqual(diary.history);
      await diary.write('dave@example.com', 'map-0');
      expect(await historyWhenWritten(diary, scene, TAKEOVER)).toEqual(diary.history);
    },
    60_000,
  );
});
