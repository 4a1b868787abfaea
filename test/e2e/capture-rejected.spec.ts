import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { startDenyingWebhook, type DenyingWebhook } from '../support/e2e-denying-webhook.ts';
import { configMap, startStage, type Scene, type Stage } from '../support/e2e-stage.ts';
import { KubeError, type ObjectName } from '../support/kube.ts';
import { waitFor } from '../support/wait-for.ts';

/** Two deletions closer than this can't be told apart: the second one comes later than that. */
const DELETE_TIE_MS = 2_000;

describe('a write that the API server does not keep', () => {
  let stage: Stage;
  let webhook: DenyingWebhook | undefined;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterEach(async () => {
    await webhook?.stop();
    webhook = undefined;
    await stage.endScenes();
  });
  afterAll(() => stage.stop());

  const received = async (): Promise<number> =>
    sumOf(await stage.operator.metrics(), 'gitops_reverser_events_received_total');

  /** Another user's webhook that lets nobody but admin write. */
  const letOnlyAdminWrite = async (scene: Scene): Promise<void> => {
    webhook = await startDenyingWebhook(
      stage.cluster,
      scene.namespace,
      ({ userInfo }) => userInfo.username !== 'admin',
    );
  };

  it('because another webhook refuses it is no commit, and what follows is credited to who made it', async () => {
    const scene = await stage.scene();
    await letOnlyAdminWrite(scene);
    const { admin } = stage.cluster;
    const alice = stage.cluster.asUser('alice');
    const map = configMap(scene, 'guarded', { a: '1' });
    const before = await received();
    await expect(alice.create({ ...map, data: { a: 'denied' } })).rejects.toThrow('not today');
    await admin.create(map);
    await scene.waitForCommits(1);
    await expect(alice.patch(map, { data: { a: 'denied' } })).rejects.toThrow('not today');
    await expect(alice.delete(map)).rejects.toThrow('not today');
    await admin.patch(map, { data: { b: '2' } });
    await scene.waitForCommits(2);
    // The calls reached the operator: it is not for want of news that there is no commit.
    expect(await received()).toBeGreaterThanOrEqual(before + 5);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/guarded by admin',
      '[UPDATE] ConfigMap/guarded by admin',
    ]);
    expect(await scene.remote.git('log', '-p', 'main')).not.toContain('denied');
  });

  it('is no commit of its user when somebody else then writes just the same', async () => {
    const scene = await stage.scene();
    await letOnlyAdminWrite(scene);
    const map = configMap(scene, 'twice', { a: '1' });
    await stage.cluster.admin.create(map);
    await expect(stage.cluster.asUser('alice').delete(map)).rejects.toThrow('not today');
    await stage.cluster.admin.patch(map, { data: { a: '2' } });
    await stage.cluster.admin.delete(map);
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/twice by admin',
      '[UPDATE] ConfigMap/twice by admin',
      '[DELETE] ConfigMap/twice by admin',
    ]);
  });

  it('holds back neither another object nor the next write of its own', async () => {
    const scene = await stage.scene();
    await letOnlyAdminWrite(scene);
    const map = configMap(scene, 'busy', { a: '1' });
    await stage.cluster.admin.create(map);
    await scene.waitForCommits(1);
    await expect(stage.cluster.asUser('alice').patch(map, { data: { a: '2' } })).rejects.toThrow('not today');
    const from = Date.now();
    await stage.cluster.admin.create(configMap(scene, 'other'));
    await scene.waitForCommits(2);
    await stage.cluster.admin.patch(map, { data: { a: '3' } });
    await scene.waitForCommits(3);
    expect(Date.now() - from).toBeLessThan(4_000);
  });

  it('because of a quota is no commit', async () => {
    const scene = await stage.scene();
    await setQuota(stage, scene.namespace, 1);
    const { admin } = stage.cluster;
    await admin.create(configMap(scene, 'first'));
    const error = await admin.create(configMap(scene, 'second')).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(KubeError);
    expect((error as KubeError).message).toContain('exceeded quota');
    await admin.patch(configMap(scene, 'first'), { data: { a: '1' } });
    await admin.delete(configMap(scene, 'first'));
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/first by admin',
      '[UPDATE] ConfigMap/first by admin',
      '[DELETE] ConfigMap/first by admin',
    ]);
  });

  it('because the name is taken, or the version is old, is no commit', async () => {
    const scene = await stage.scene();
    const map = configMap(scene, 'taken', { a: '1' });
    const { admin } = stage.cluster;
    const alice = stage.cluster.asUser('alice');
    const old = await admin.create(map);
    await expect(alice.create({ ...map, data: { a: 'mine' } })).rejects.toThrow('already exists');
    await admin.patch(map, { data: { a: '2' } });
    await expect(alice.replace({ ...old, data: { a: 'late' } })).rejects.toThrow('modified');
    await admin.delete(map);
    await scene.waitForCommits(3);
    // The name is free now: alice's second try is hers, her first one stays nobody's.
    await alice.create({ ...map, data: { a: 'mine' } });
    await scene.waitForCommits(4);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/taken by admin',
      '[UPDATE] ConfigMap/taken by admin',
      '[DELETE] ConfigMap/taken by admin',
      '[CREATE] ConfigMap/taken by alice',
    ]);
  });

  it('as a denied deletion does not make its user the author of a later one', async () => {
    const scene = await stage.scene();
    await letOnlyAdminWrite(scene);
    const map = configMap(scene, 'kept', { a: '1' });
    await stage.cluster.admin.create(map);
    await scene.waitForCommits(1);
    await expect(stage.cluster.asUser('alice').delete(map)).rejects.toThrow('not today');
    await pause(DELETE_TIE_MS + 200); // the product tells deletions apart by time alone
    await stage.cluster.admin.delete(map);
    const [, deletion] = await scene.waitForCommits(2);
    expect(deletion!.author.name).toBe('admin');
    expect(deletion!.message).not.toContain('alice');
  });

  it('names both users of two deletions that can not be told apart', async () => {
    const scene = await stage.scene();
    await letOnlyAdminWrite(scene);
    const map = configMap(scene, 'contested');
    await stage.cluster.admin.create(map);
    await scene.waitForCommits(1);
    await expect(stage.cluster.asUser('alice').delete(map)).rejects.toThrow('not today');
    await stage.cluster.admin.delete(map);
    const [, deletion] = await scene.waitForCommits(2);
    expect(deletion!.message).toContain('\n- User: alice\n- Also requested by: admin\n');
  });
});

/** No controller runs that would fill in a quota's status: a test does it, and waits until admission counts. */
async function setQuota(stage: Stage, namespace: string, configmaps: number): Promise<void> {
  const { admin } = stage.cluster;
  const quota: ObjectName = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { namespace, name: 'few' },
    spec: { hard: { configmaps: String(configmaps) } },
  };
  await admin.create(quota);
  const allow = (count: number): Promise<unknown> => {
    const status = { hard: { configmaps: String(count) }, used: { configmaps: '0' } };
    return admin.patch(quota, { status }, { subresource: 'status' });
  };
  const probe: ObjectName = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'quota-probe' } };
  const refused = (): Promise<boolean> =>
    admin.create(probe, { dryRun: true }).then(
      () => false,
      (error: Error) => error.message.includes('exceeded quota'),
    );
  await allow(0);
  await waitFor('the quota to be in force', refused);
  await allow(configmaps);
  await waitFor('the quota to leave room', async () => !(await refused()));
}

/** The sum of a counter over all of its labels. */
function sumOf(metrics: string, name: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
