import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  configMap,
  startStage,
  waitUntilReady,
  ruleOf,
  repositoryOf,
  describeScene,
  type Scene,
  type Stage,
} from '../support/e2e-stage.ts';
import { startOperator } from '../support/operator.ts';
import { waitFor } from '../support/wait-for.ts';

interface Compared {
  metadata: { name: string; uid: string; resourceVersion: string; annotations?: Record<string, string> };
  apiVersion: string;
  kind: string;
  status?: {
    driftedFiles?: number;
    lastResync?: { objects: number; differing: number; orphaned: number };
    lastHandledResyncAt?: string;
    conditions?: { type: string; status: string; reason: string; message: string }[];
  };
}

describe('a comparison of cluster and repository', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage({ env: { RESYNC_INTERVAL: '10m' } });
  }, 120_000);
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  const status = async (scene: Scene): Promise<NonNullable<Compared['status']>> =>
    (await stage.cluster.admin.get<Compared>(scene.repository)).status ?? {};

  /** Asks as a user does, and waits until it was done. */
  async function resync(
    scene: Scene,
    mark = `${Date.now()}-${Math.random()}`,
  ): Promise<NonNullable<Compared['status']>> {
    await stage.cluster.admin.patch(scene.repository, {
      metadata: { annotations: { 'configbutler.ai/resync-requested-at': mark } },
    });
    return waitFor('the request to be handled', async () => {
      const now = await status(scene);
      return now.lastHandledResyncAt === mark && now;
    });
  }

  /** Objects first, the rule after them. */
  async function sceneWith(
    objects: (scene: { namespace: string }) => ReturnType<typeof configMap>[],
    repository = {},
  ): Promise<Scene> {
    const namespace = await stage.cluster.createNamespace();
    for (const object of objects({ namespace })) await stage.cluster.asUser('alice').create(object);
    const remote = await stage.createRemote();
    const config = repositoryOf(namespace, 'repo', remote, repository);
    const rule = ruleOf(namespace, 'rule', 'repo');
    await stage.cluster.admin.create(config);
    await stage.cluster.admin.create(rule);
    await waitUntilReady(stage.cluster, config);
    await waitUntilReady(stage.cluster, rule);
    return describeScene(namespace, remote, config, rule);
  }

  async function restartAfter(work: () => Promise<unknown>): Promise<void> {
    const { env } = stage.operator;
    await stage.operator.stop();
    await work();
    const replaced = stage.operator;
    stage.operator = await startOperator({
      kubeconfig: stage.cluster.kubeconfigFor('admin'),
      redisUrl: stage.redis.url,
      env,
    });
    await replaced.remove();
  }

  it('commits what is there when a rule appears, in one commit that lists it', async () => {
    const scene = await sceneWith((at) => [configMap(at, 'one', { a: '1' }), configMap(at, 'two', { b: '2' })]);
    const [commit] = await scene.waitForCommits(1);
    expect(commit?.message).toContain('[RESYNC] 2 objects');
    expect(commit?.message).toContain('ConfigMap/one');
    expect(commit?.author.name).toBe('GitOps Reverser');
    expect((await scene.remote.files()).map((path) => path.split('/').at(-1))).toEqual(['one.yaml', 'two.yaml']);
  });

  it('commits at once what a namespace holds that a rule selects from now on by its labels', async () => {
    const environment = `env-${Date.now()}`;
    const scene = await stage.scene({ rule: { namespaceSelector: { matchLabels: { environment } } } });
    const { admin } = stage.cluster;
    await admin.create(configMap(scene, 'before', { a: '1' }));
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: scene.namespace } };
    await admin.patch(namespace, { metadata: { labels: { environment } } });
    const [commit] = await scene.waitForCommits(1);
    expect(commit?.message).toContain('[RESYNC] ConfigMap/before');
  });

  it('writes nothing where nothing differs', async () => {
    const scene = await sceneWith((at) => [configMap(at, 'one', { a: '1' })]);
    await scene.waitForCommits(1);
    const before = await resync(scene);
    expect(before.lastResync).toMatchObject({ objects: 1, differing: 0, orphaned: 0 });
    await stage.cluster.asUser('bob@example.com').create(configMap(scene, 'marker'));
    const commits = await scene.waitForCommits(2);
    expect(commits[1]?.message).toContain('[CREATE] ConfigMap/marker');
  });

  it('finds what changed while nobody listened, and keeps the files of what was deleted', async () => {
    const scene = await sceneWith((at) => [configMap(at, 'changed', { a: '1' }), configMap(at, 'deleted', { a: '1' })]);
    await scene.waitForCommits(1);
    await restartAfter(async () => {
      await stage.cluster
        .asUser('alice')
        .patch(configMap(scene, 'changed'), { data: { a: '2' } }, { fieldManager: 'night-shift' });
      await stage.cluster.asUser('alice').delete(configMap(scene, 'deleted'));
    });
    const commits = await scene.waitForCommits(2);
    expect(commits[1]?.message).toMatch(/^\[RESYNC\] ConfigMap\/changed/);
    expect(commits[1]?.message).toContain('night-shift');
    expect(await scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/changed.yaml`)).toContain('"2"');
    expect(await scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/deleted.yaml`)).toBeDefined();
    expect((await resync(scene)).lastResync?.orphaned).toBe(1);
  }, 60_000);

  it('removes the files of deleted objects where spec.prune says so, but never what a person wrote', async () => {
    const scene = await sceneWith((at) => [configMap(at, 'deleted', { a: '1' })], { prune: true });
    await scene.waitForCommits(1);
    const personal = `namespaces/${scene.namespace}/ConfigMap/by-hand.yaml`;
    await scene.remote.commitAsPerson({ files: { [personal]: 'apiVersion: v1\nkind: ConfigMap\n' } });
    await restartAfter(() => stage.cluster.asUser('alice').delete(configMap(scene, 'deleted')));
    await waitFor('the file to go', async () => (await scene.remote.files()).join() === personal);
    const commits = await scene.commits();
    expect(commits.at(-1)?.message).toMatch(/^\[RESYNC\] ConfigMap\/deleted/);
  }, 60_000);

  it('leaves alone what a person changed later, and counts it as drift', async () => {
    const scene = await sceneWith((at) => [configMap(at, 'one', { a: '1' })]);
    await scene.waitForCommits(1);
    const path = `namespaces/${scene.namespace}/ConfigMap/one.yaml`;
    await scene.remote.commitAsPerson({
      files: { [path]: 'a person knows better\n' },
      date: new Date(Date.now() + 5_000),
    });
    await resync(scene);
    await waitFor('the drift to be counted', async () => (await status(scene)).driftedFiles === 1);
    expect(await scene.remote.read(path)).toBe('a person knows better\n');
    expect(await stage.operator.metrics()).toContain(
      `gitops_reverser_drifted_files{repository="${scene.namespace}/repo"} 1`,
    );
  });

  it('leaves out what an excluded user did, until somebody else changes the object', async () => {
    const scene = await stage.scene({ rule: { excludeUsers: ['bob@example.com'] } });
    const [alice, bob] = [stage.cluster.asUser('alice'), stage.cluster.asUser('bob@example.com')];
    await alice.create(configMap(scene, 'shared', { a: '1' }));
    await scene.waitForCommits(1);
    await bob.patch(configMap(scene, 'shared'), { data: { a: '2' } });
    await bob.create(configMap(scene, 'own', { a: '1' }));
    await alice.create(configMap(scene, 'marker'));
    await scene.waitForCommits(2);
    await resync(scene);
    await alice.patch(configMap(scene, 'shared'), { data: { b: '3' } });
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/shared by alice',
      '[CREATE] ConfigMap/marker by alice',
      '[UPDATE] ConfigMap/shared by alice',
    ]);
  });

  it('asks before it removes more than fifty files at once', async () => {
    const names = Array.from({ length: 51 }, (_, index) => `map-${index}`);
    const scene = await sceneWith((at) => names.map((name) => configMap(at, name)), { prune: true });
    await scene.waitForCommits(1);
    await restartAfter(() =>
      stage.cluster
        .asUser('alice')
        .deleteCollection({ apiVersion: 'v1', kind: 'ConfigMap', namespace: scene.namespace }),
    );
    const stalled = await waitFor('it to be stalled', async () =>
      (await status(scene)).conditions?.find(({ type, reason }) => type === 'Stalled' && reason === 'MassRemoval'),
    );
    expect(stalled.message).toContain('configbutler.ai/confirm-removal-of=51');
    expect(await scene.remote.files()).toHaveLength(51);
    await stage.cluster.admin.patch(scene.repository, {
      metadata: { annotations: { 'configbutler.ai/confirm-removal-of': '51' } },
    });
    await waitFor('the files to go', async () => (await scene.remote.files()).length === 0);
    await waitFor('it to be ready again', async () =>
      (await status(scene)).conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
  }, 60_000);

  it('notices a storage that was restored from a backup, and brings Git to what the cluster is now', async () => {
    const scene = await stage.scene();
    const alice = stage.cluster.asUser('alice');
    const one = configMap(scene, 'one', { a: 'before' });
    await alice.create(one);
    await scene.waitForCommits(1);
    const restore = await stage.cluster.controlPlane.backUp();
    // Versions run ahead of the backup's by more than what the API server itself writes when it starts.
    for (const value of ['1', '2', '3']) await alice.patch(one, { data: { a: value } });
    for (let index = 0; index < 100; index += 1)
      await alice.patch(configMap(scene, 'one'), { data: { a: `ahead-${index}` } });
    await scene.waitForCommits(104);
    await restore();
    await alice.patch(one, { data: { b: 'after' } });
    await stage.operator.waitForLog('the cluster was restored to an earlier state', { timeoutMs: 30_000 });
    const path = `namespaces/${scene.namespace}/ConfigMap/one.yaml`;
    await waitFor(
      'Git to hold what the cluster is',
      async () => {
        const text = await scene.remote.read(path);
        return text?.includes('before') === true && text.includes('after') && !text.includes('ahead');
      },
      { timeoutMs: 30_000 },
    );
  }, 120_000);
});
