import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { configMap, startStage, type Scene, type Stage } from '../support/e2e-stage.ts';
import { startAgain } from '../support/faults.ts';
import { conditionOf, waitForReady } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

const COUNT = 51;
const LIMIT = { timeoutMs: 30_000 };

describe('the removal of many files', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage({ env: { RESYNC_INTERVAL: '10m' } });
  }, 120_000);
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  const select = (scene: Scene, tier: string): Promise<unknown> =>
    stage.cluster.admin.patch(scene.rule, { spec: { labelSelector: { matchLabels: { tier } } } });

  const confirm = (scene: Scene, value: string): Promise<unknown> =>
    stage.cluster.admin.patch(scene.repository, {
      metadata: { annotations: { 'configbutler.ai/confirm-removal-of': value } },
    });

  const untilFiles = (scene: Scene, count: number): Promise<boolean> =>
    waitFor(`${count} files`, async () => (await scene.remote.files()).length === count, LIMIT);

  /** Waits until a person is asked, and returns what for. */
  async function untilAsked(scene: Scene): Promise<string> {
    const status = await waitForReady(
      stage.cluster,
      scene.repository,
      { status: 'False', reason: 'MassRemoval' },
      LIMIT,
    );
    return /configbutler\.ai\/confirm-removal-of=(\S+)/.exec(conditionOf(status, 'Ready')?.message ?? '')?.[1] ?? '';
  }

  it('is confirmed for one time: another one of the same size asks again, also after a restart', async () => {
    const scene = await stage.scene({
      repository: { prune: true },
      rule: { labelSelector: { matchLabels: { tier: 'web' } } },
    });
    for (let index = 0; index < COUNT; index++) {
      const map = configMap(scene, `map-${index}`);
      await stage.cluster.asUser('alice').create({ ...map, metadata: { ...map.metadata, labels: { tier: 'web' } } });
    }
    await untilFiles(scene, COUNT);

    await select(scene, 'none');
    expect(await untilAsked(scene)).toBe('51');
    await confirm(scene, '51');
    await untilFiles(scene, 0);
    await waitForReady(stage.cluster, scene.repository, { status: 'True' }, LIMIT);

    // A state that was listed in the second of the removal is taken for older.
    const removed = Date.now();
    await waitFor('another second', () => Date.now() - removed > 1_500);
    await select(scene, 'web');
    await untilFiles(scene, COUNT);
    await stage.operator.stop();
    stage.operator = await startAgain(stage);
    await select(scene, 'none');
    expect(await untilAsked(scene)).toBe('51/2');
    expect(await scene.remote.files()).toHaveLength(COUNT);
    await confirm(scene, '51/2');
    await untilFiles(scene, 0);
    await waitForReady(stage.cluster, scene.repository, { status: 'True' }, LIMIT);
  }, 120_000);
});
