import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  configMap,
  describeScene,
  repositoryOf,
  ruleOf,
  startStage,
  waitUntilCondition,
  waitUntilReady,
  type Scene,
  type Stage,
} from '../support/e2e-stage.ts';
import type { LiveObject, ObjectName } from '../support/kube.ts';
import { waitFor } from '../support/wait-for.ts';

const CONFIG_MAPS = { apiVersion: 'v1', kind: 'ConfigMap' };
const SECRETS = { apiVersion: 'v1', kind: 'Secret' };

describe('rules and repositories', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  const reasonOf = async (object: ObjectName): Promise<string | undefined> => {
    const { status } = await stage.cluster.admin.get<LiveObject & { status?: { conditions?: { reason: string }[] } }>(
      object,
    );
    return status?.conditions?.map(({ reason }) => reason).find((reason) => reason !== 'Ready');
  };
  const secret = (scene: Scene, name: string): ObjectName => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: scene.namespace, name },
  });
  const edit = async (object: ObjectName, spec: Record<string, unknown>): Promise<void> => {
    await stage.cluster.admin.patch(object, { spec });
    await waitUntilReady(stage.cluster, object);
  };

  it('may come in either order: the rule says what it waits for until its repository is there', async () => {
    const namespace = await stage.cluster.createNamespace();
    const remote = await stage.createRemote();
    const rule = ruleOf(namespace, 'rule', 'later');
    const repository = repositoryOf(namespace, 'later', remote);
    const scene = describeScene(namespace, remote, repository, rule);
    await stage.cluster.admin.create(rule);
    await waitUntilCondition(stage.cluster, rule, 'Stalled');
    expect(await reasonOf(rule)).toBe('GitRepoConfigNotFound');
    await stage.cluster.admin.create(repository);
    await waitUntilReady(stage.cluster, repository);
    await waitUntilReady(stage.cluster, rule);
    await stage.cluster.asUser('alice').create(configMap(scene, 'app'));
    await scene.waitForCommits(1);
    expect(await scene.subjects()).toEqual(['[CREATE] ConfigMap/app by alice']);
  });

  it('send one object to several repositories, and once to each, however many rules say so', async () => {
    const scene = await stage.scene();
    const other = await stage.createRemote();
    const repository = repositoryOf(scene.namespace, 'other', other, {
      path: 'clusters/blue',
      commit: { committer: { name: 'Blue Bot', email: 'bot@blue.example' }, authorEmailDomain: 'blue.example' },
    });
    // The one that selects every kind comes last: rules are objects, too.
    const rules = [
      ruleOf(scene.namespace, 'other', 'other'),
      ruleOf(scene.namespace, 'again', 'repo', [{ apiVersion: '*', kind: '*' }]),
    ];
    for (const object of [repository, ...rules]) await stage.cluster.admin.create(object);
    for (const object of [repository, ...rules]) await waitUntilReady(stage.cluster, object);
    const map = configMap(scene, 'both', { a: '1' });
    const alice = stage.cluster.asUser('alice');
    await alice.create(map);
    await alice.patch(map, { data: { a: '2' } });
    await alice.delete(map);
    const expected = ['[CREATE]', '[UPDATE]', '[DELETE]'].map((operation) => `${operation} ConfigMap/both by alice`);
    const there = describeScene(scene.namespace, other, repository, rules[0]!);
    const [first] = await there.waitForCommits(3);
    await alice.create(configMap(scene, 'last'));
    await scene.waitForCommits(4);
    expect(await scene.subjects()).toEqual([...expected, '[CREATE] ConfigMap/last by alice']);
    expect((await there.subjects()).slice(0, 3)).toEqual(expected);
    expect(first).toMatchObject({
      author: { name: 'alice', email: 'alice@blue.example' },
      committer: { name: 'Blue Bot', email: 'bot@blue.example' },
      files: [{ status: 'A', path: `clusters/blue/namespaces/${scene.namespace}/ConfigMap/both.yaml` }],
    });
  });

  it('may be two repositories for two branches of one remote', async () => {
    const scene = await stage.scene();
    const repository = repositoryOf(scene.namespace, 'second', scene.remote, { branch: 'audit' });
    const rule = ruleOf(scene.namespace, 'second', 'second', [SECRETS]);
    for (const object of [repository, rule]) await stage.cluster.admin.create(object);
    for (const object of [repository, rule]) await waitUntilReady(stage.cluster, object);
    await stage.cluster.admin.create(configMap(scene, 'app'));
    await scene.waitForCommits(1);
    await stage.cluster.admin.create(secret(scene, 'login'));
    await waitFor('the other branch', async () =>
      (await scene.subjects('audit')).includes('[CREATE] Secret/login by admin'),
    );
    expect(await scene.subjects()).toEqual(['[CREATE] ConfigMap/app by admin']);
  });

  it('take kinds in that are added to a rule, and leave out those that are removed', async () => {
    const scene = await stage.scene();
    const { admin } = stage.cluster;
    await admin.create(secret(scene, 'unseen'));
    await edit(scene.rule, { resources: [CONFIG_MAPS, SECRETS] });
    await admin.create(secret(scene, 'seen'));
    await admin.create(configMap(scene, 'seen'));
    await scene.waitForCommits(2);
    await edit(scene.rule, { resources: [SECRETS] });
    await admin.create(configMap(scene, 'unseen'));
    await admin.patch(configMap(scene, 'seen'), { data: { a: '1' } });
    await admin.patch(secret(scene, 'seen'), { stringData: { a: '1' } });
    await scene.waitForCommits(3);
    await admin.delete(secret(scene, 'seen'));
    await scene.waitForCommits(4);
    expect((await scene.subjects()).filter((subject) => !subject.includes('RESYNC')).sort()).toEqual([
      '[CREATE] ConfigMap/seen by admin',
      '[CREATE] Secret/seen by admin',
      '[DELETE] Secret/seen by admin',
      '[UPDATE] Secret/seen by admin',
    ]);
    // Leaving the selection is no deletion.
    expect(await scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/seen.yaml`)).toBeDefined();
  });

  it('say of a kind that nobody serves that it is missing, and take it once it is served', async () => {
    const scene = await stage.scene();
    const rule = ruleOf(scene.namespace, 'early', 'repo', [{ apiVersion: 'shop.example.com/v1', kind: 'Order' }]);
    await stage.cluster.admin.create(rule);
    const { status } = await waitUntilCondition(stage.cluster, rule, 'Stalled');
    expect(status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({
      reason: 'NoResourcesMatched',
      message: expect.stringContaining('shop.example.com/v1 Order') as unknown,
    });
    const names = { kind: 'Order', plural: 'orders', singular: 'order', listKind: 'OrderList' };
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    await stage.cluster.admin.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'orders.shop.example.com' },
      spec: {
        ...{ group: 'shop.example.com', scope: 'Namespaced', names },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    });
    await waitUntilReady(stage.cluster, rule);
    const order = {
      apiVersion: 'shop.example.com/v1',
      kind: 'Order',
      metadata: { namespace: scene.namespace, name: 'one' },
      spec: { items: 3 },
    };
    await stage.cluster.asUser('alice').create(order);
    const [commit] = await scene.waitForCommits(1);
    expect(commit!.files[0]!.path).toBe(`namespaces/${scene.namespace}/Order.shop.example.com/one.yaml`);
  });

  it('write to the branch, the folder and the remote that a repository was edited to', async () => {
    const scene = await stage.scene();
    const { admin } = stage.cluster;
    const path = `namespaces/${scene.namespace}/ConfigMap`;
    await admin.create(configMap(scene, 'first'));
    await scene.waitForCommits(1);
    await edit(scene.repository, { path: 'moved/here' });
    await admin.create(configMap(scene, 'second'));
    await waitFor('the file in the folder', () => scene.remote.read(`moved/here/${path}/second.yaml`));
    await edit(scene.repository, { path: null, branch: 'other' });
    await admin.create(configMap(scene, 'third'));
    await waitFor('the file on the branch', () => scene.remote.read(`${path}/third.yaml`, 'other'));
    // A new branch starts where the default branch is.
    expect(await scene.remote.files('other')).toEqual(expect.arrayContaining(await scene.remote.files()));
    expect(await scene.remote.read(`${path}/third.yaml`)).toBeUndefined();
    const other = await stage.createRemote();
    await edit(scene.repository, { url: other.url, branch: 'main' });
    await admin.create(configMap(scene, 'fourth'));
    await waitFor('the file in the other remote', () => other.read(`${path}/fourth.yaml`));
    expect(await scene.remote.read(`${path}/fourth.yaml`, 'other')).toBeUndefined();
  });

  it('keep what happens while a repository is suspended, and write it in order when it is resumed', async () => {
    const scene = await stage.scene();
    const { admin } = stage.cluster;
    const map = configMap(scene, 'app', { step: '0' });
    await admin.create(map);
    await scene.waitForCommits(1);
    await admin.patch(scene.repository, { spec: { suspend: true } });
    await waitUntilCondition(stage.cluster, scene.repository, 'Stalled');
    expect(await reasonOf(scene.repository)).toBe('Suspended');
    const users = ['alice', 'bob@example.com', 'carol'];
    for (const [index, user] of users.entries())
      await stage.cluster.asUser(user).patch(map, { data: { step: String(index + 1) } });
    await waitFor('three waiting changes in its status', async () => {
      const { status } = await admin.get<LiveObject & { status: { pendingEvents?: number } }>(scene.repository);
      return status.pendingEvents === 3;
    });
    expect(await scene.commits()).toHaveLength(1);
    await edit(scene.repository, { suspend: false });
    await scene.waitForCommits(4);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/app by admin',
      ...users.map((user) => `[UPDATE] ConfigMap/app by ${user}`),
    ]);
    await waitFor('none waiting', async () => {
      const { status } = await admin.get<LiveObject & { status: { pendingEvents?: number } }>(scene.repository);
      return status.pendingEvents === 0;
    });
  });

  it('end with the deletion of the rule, or of the repository, and the files stay', async () => {
    const scene = await stage.scene();
    const second = ruleOf(scene.namespace, 'second', 'repo', [SECRETS]);
    const { admin } = stage.cluster;
    await admin.create(second);
    await waitUntilReady(stage.cluster, second);
    await admin.create(configMap(scene, 'app'));
    await scene.waitForCommits(1);
    await admin.delete(scene.rule);
    await waitFor('ConfigMaps to be sent no more', async () => {
      const hooks = await admin.get<LiveObject & { webhooks: { rules?: { resources: string[] }[] }[] }>({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: stage.operator.instanceName },
      });
      return !hooks.webhooks.some(({ rules }) => rules?.some(({ resources }) => resources.includes('configmaps')));
    });
    await admin.patch(configMap(scene, 'app'), { data: { a: '1' } });
    await admin.create(secret(scene, 'login'));
    await scene.waitForCommits(2);
    await admin.delete(scene.repository);
    await waitUntilCondition(stage.cluster, second, 'Stalled');
    expect(await reasonOf(second)).toBe('GitRepoConfigNotFound');
    await admin.delete(secret(scene, 'login'));
    // The same repository again: the deletion in between was nobody's, what comes now is written.
    await admin.create(scene.repository);
    await waitUntilReady(stage.cluster, scene.repository);
    await waitUntilReady(stage.cluster, second);
    await stage.cluster.asUser('alice').create(secret(scene, 'token'));
    await scene.waitForCommits(3);
    expect((await scene.subjects()).filter((subject) => !subject.includes('RESYNC'))).toEqual([
      '[CREATE] ConfigMap/app by admin',
      '[CREATE] Secret/login by admin',
      '[CREATE] Secret/token by alice',
    ]);
    expect(await scene.remote.files()).toContain(`namespaces/${scene.namespace}/ConfigMap/app.yaml`);
  });

  it('tell the newest commit in the status of a repository', async () => {
    const scene = await stage.scene();
    await stage.cluster.admin.create(configMap(scene, 'app'));
    const [commit] = await scene.waitForCommits(1);
    await waitFor('the commit in the status', async () => {
      const { status } = await waitUntilReady(stage.cluster, scene.repository);
      return status?.lastCommit?.sha === commit!.sha;
    });
  });

  it('do not hold each other back: a broken repository delays no other', async () => {
    const scene = await stage.scene();
    const broken = repositoryOf(scene.namespace, 'broken', { url: `${scene.remote.url}-that-is-not-there` });
    const rule = ruleOf(scene.namespace, 'broken', 'broken');
    const { admin } = stage.cluster;
    await admin.create(broken);
    await admin.create(rule);
    await waitUntilReady(stage.cluster, rule);
    await waitUntilCondition(stage.cluster, broken, 'Stalled');
    const from = Date.now();
    await admin.create(configMap(scene, 'app'));
    await scene.waitForCommits(1);
    expect(Date.now() - from).toBeLessThan(2_000);
    // What the broken one missed is in its queue, and comes when it is corrected.
    const remote = await stage.createRemote();
    await edit(broken, { url: remote.url });
    await remote.waitForCommit('[CREATE] ConfigMap/app');
  });
});
