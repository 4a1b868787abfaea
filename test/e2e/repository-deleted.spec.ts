import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  describeScene,
  repositoryOf,
  startStage,
  waitUntilReady,
  type Scene,
  type Stage,
} from '../support/e2e-stage.ts';
import { countQueued, Diary, historyOf, historyWhenWritten, startAgain, withRedis } from '../support/faults.ts';
import { waitForReady } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

describe('a GitRepoConfig that is deleted with changes in its queue', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  }, 120_000);
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  /** A scene in which five changes wait. */
  async function sceneWithBacklog(): Promise<Scene> {
    const scene = await stage.scene({ repository: { suspend: true } });
    const diary = new Diary(stage, scene);
    for (let step = 0; step < 5; step++) await diary.write(step % 2 === 0 ? 'alice' : 'carol', `old-${step % 2}`);
    await waitFor('five queued changes', async () => (await queued(scene)) === 5);
    return scene;
  }

  const queued = (scene: Scene): Promise<number> => countQueued(stage.redis, stage.operator, `${scene.namespace}/repo`);

  /** Keys of its queue and of what belongs to it, but for those that go by themselves. */
  const keysLeft = (scene: Scene): Promise<string[]> =>
    withRedis(stage.redis, async (client) => {
      const keys = await client.keys(`${stage.operator.env['QUEUE_PREFIX']}:*repository.${scene.namespace}.repo*`);
      const ttls = await Promise.all(keys.map((key) => client.pttl(key)));
      return keys.filter((_, index) => ttls[index] === -1);
    });

  it('takes them with it: one of the same name for another repository gets none of them', async () => {
    const scene = await sceneWithBacklog();
    const { admin } = stage.cluster;
    const other = await stage.createRemote();
    await admin.delete(scene.repository);
    const repository = repositoryOf(scene.namespace, 'repo', other);
    await admin.create(repository);
    await waitUntilReady(stage.cluster, repository);
    await waitUntilReady(stage.cluster, scene.rule);
    const there = describeScene(scene.namespace, other, repository, scene.rule);
    const diary = new Diary(stage, there);
    await diary.write('bob@example.com', 'new');
    await diary.write('alice', 'new');
    expect(await historyWhenWritten(diary, there)).toEqual(diary.history);
    await waitFor('the queue to be empty', async () => (await queued(scene)) === 0);
    expect(historyOf(await there.commits())).toEqual(diary.history);
    expect(await scene.commits()).toEqual([]);
  }, 60_000);

  it('leaves nothing of them in Redis', async () => {
    const scene = await sceneWithBacklog();
    expect(await keysLeft(scene)).not.toEqual([]);
    await stage.cluster.admin.delete(scene.repository);
    await waitFor('its queue to be gone', async () => (await keysLeft(scene)).length === 0);
  }, 60_000);

  it('leaves nothing of them where it was deleted while no replica ran, and a new one of its name begins empty', async () => {
    const gone = await sceneWithBacklog();
    const replaced = await sceneWithBacklog();
    const { admin } = stage.cluster;
    await stage.operator.stop();
    await admin.delete(gone.repository);
    await admin.delete(replaced.repository);
    const other = await stage.createRemote();
    const repository = repositoryOf(replaced.namespace, 'repo', other);
    await admin.create(repository);
    stage.operator = await startAgain(stage);
    await waitFor('its queue to be gone', async () => (await keysLeft(gone)).length === 0);
    await waitForReady(stage.cluster, repository);
    await waitUntilReady(stage.cluster, replaced.rule);
    const there = describeScene(replaced.namespace, other, repository, replaced.rule);
    const diary = new Diary(stage, there);
    await diary.write('alice', 'new');
    expect(await historyWhenWritten(diary, there)).toEqual(diary.history);
  }, 90_000);

  it('is itself again where Redis takes another one for the owner of its queue, as after a restore of old data', async () => {
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await diary.write('alice', 'app');
    await historyWhenWritten(diary, scene);
    const hash = `${stage.operator.env['QUEUE_PREFIX']}:queue-owners`;
    const field = `${scene.namespace}/repo`;
    await withRedis(stage.redis, async (client) => {
      const owner = await client.hget(hash, field);
      await client.hset(hash, field, 'uid-of-long-ago');
      await waitFor('the owner', async () => (await client.hget(hash, field)) === owner);
    });
    await diary.write('carol', 'app');
    expect(await historyWhenWritten(diary, scene)).toEqual(diary.history);
  });
});
