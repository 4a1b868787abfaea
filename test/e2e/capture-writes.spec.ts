import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { expectedMessage } from '../support/e2e-message.ts';
import { configMap, startStage, uniqueName, type Stage } from '../support/e2e-stage.ts';
import { waitFor } from '../support/wait-for.ts';

const HOSTILE_USER = 'eve <root@example.com>\n\nEvent-Id: forged\nCo-authored-by: alice <alice@example.com>';
const SERVICE_ACCOUNT = 'system:serviceaccount:shop:deployer';

const AUTOSCALER = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler';

describe('a write of an object', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage({ users: [HOSTILE_USER, SERVICE_ACCOUNT, AUTOSCALER] });
  });
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  it('is a commit each for create, update and delete, by the user who asked', async () => {
    const scene = await stage.scene();
    const { namespace, remote } = scene;
    const path = `namespaces/${namespace}/ConfigMap/app-config.yaml`;
    const map = configMap(scene, 'app-config', { colour: 'red' });
    const from = Math.floor(Date.now() / 1000) * 1000;
    const created = await stage.cluster.asUser('admin@company.com').create(map);
    await scene.waitForCommits(1);
    expect(await remote.read(path)).toBe(
      [
        'apiVersion: v1',
        'kind: ConfigMap',
        'metadata:',
        '  name: app-config',
        `  namespace: ${namespace}`,
        'data:',
        '  colour: red',
        '',
      ].join('\n'),
    );
    const updated = await stage.cluster.asUser('alice').patch(map, { data: { colour: 'blue' } });
    await scene.waitForCommits(2);
    expect(await remote.read(path)).toContain('  colour: blue\n');
    await stage.cluster.asUser('bob@example.com').delete(map);
    const commits = await scene.waitForCommits(3);
    expect(await remote.files()).toEqual([]);

    const resource = 'ConfigMap/app-config';
    expect(commits.map(({ message }) => message)).toEqual([
      expectedMessage(commits[0]!, {
        ...{ operation: 'CREATE', resource, namespace, user: 'admin@company.com' },
        resourceVersion: created.metadata.resourceVersion,
      }),
      expectedMessage(commits[1]!, {
        ...{ operation: 'UPDATE', resource, namespace, user: 'alice' },
        resourceVersion: updated.metadata.resourceVersion,
      }),
      expectedMessage(commits[2]!, {
        ...{ operation: 'DELETE', resource, namespace, user: 'bob@example.com' },
        resourceVersion: updated.metadata.resourceVersion,
      }),
    ]);
    expect(commits.map(({ author }) => author)).toEqual([
      { name: 'admin@company.com', email: 'admin@company.com' },
      { name: 'alice', email: 'alice@users.noreply.cluster.local' },
      { name: 'bob@example.com', email: 'bob@example.com' },
    ]);
    expect(commits.map(({ files }) => files)).toEqual([
      [{ status: 'A', path }],
      [{ status: 'M', path }],
      [{ status: 'D', path }],
    ]);
    for (const { committer, authoredAt } of commits) {
      expect(committer).toEqual({
        name: 'GitOps Reverser',
        email: 'gitops-reverser@users.noreply.cluster.local',
      });
      expect(authoredAt).toBeGreaterThanOrEqual(from);
      expect(authoredAt).toBeLessThanOrEqual(Date.now());
    }
  });

  it('of a cluster-scoped object has its own folder and no namespace in its message', async () => {
    const scene = await stage.scene({
      resources: [{ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass' }],
      rule: { namespaceSelector: undefined },
    });
    const name = `urgent-${scene.namespace}`;
    const created = await stage.cluster.asUser('carol').create({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value: 1000,
    });
    const [commit] = await scene.waitForCommits(1);
    expect(commit!.message).toBe(
      expectedMessage(commit!, {
        ...{ operation: 'CREATE', resource: `PriorityClass/${name}`, user: 'carol' },
        resourceVersion: created.metadata.resourceVersion,
      }),
    );
    expect(commit!.files).toEqual([{ status: 'A', path: `cluster-scoped/PriorityClass/${name}.yaml` }]);
  });

  it('is in the remote repository well below a second', async () => {
    const scene = await stage.scene();
    const latencies: number[] = [];
    for (let i = 1; i <= 5; i++) {
      await stage.cluster.admin.create(configMap(scene, `map-${i}`));
      const from = Date.now();
      await scene.waitForCommits(i);
      latencies.push(Date.now() - from);
    }
    expect(latencies.sort((a, b) => a - b)[2]).toBeLessThan(1_000);
  });

  it('that changes nothing, or is a dry run, is no commit', async () => {
    const scene = await stage.scene();
    const map = configMap(scene, 'settings', { a: '1' });
    const { admin } = stage.cluster;
    await admin.create(map, { dryRun: true });
    await admin.create(map);
    await admin.patch(map, { data: { a: '2' } }, { dryRun: true });
    await admin.patch(map, { data: { a: '1' } });
    await admin.delete(map, { dryRun: true });
    await admin.replace(await admin.get(map));
    // What comes after it on the same object is decided after it.
    await stage.cluster.asUser('alice').patch(map, { data: { a: '3' } });
    await scene.waitForCommits(2);
    await stage.cluster.asUser('alice').delete(map);
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/settings by admin',
      '[UPDATE] ConfigMap/settings by alice',
      '[DELETE] ConfigMap/settings by alice',
    ]);
  });

  it('in quick succession is one commit for each version, in order', async () => {
    const scene = await stage.scene();
    const map = configMap(scene, 'counter', { step: '0' });
    const versions = [(await stage.cluster.admin.create(map)).metadata.resourceVersion];
    const users = ['alice', 'bob@example.com', 'carol'];
    for (let n = 1; n <= 20; n++) {
      const { metadata } = await stage.cluster.asUser(users[n % 3]!).patch(map, { data: { step: String(n) } });
      versions.push(metadata.resourceVersion);
    }
    const commits = await scene.waitForCommits(21);
    const told = commits.map(({ message }) => /Resource Version: (\d+)/.exec(message)?.[1]);
    expect(told).toEqual(versions);
    expect(commits.slice(1).map(({ author }) => author.name)).toEqual(
      Array.from({ length: 20 }, (_, i) => users[(i + 1) % 3]),
    );
    expect(await scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/counter.yaml`)).toContain('step: "20"');
  });

  it('by kubectl is the same as by any client', async () => {
    const scene = await stage.scene();
    const args = ['-n', scene.namespace];
    await stage.cluster.kubectl(['create', 'configmap', 'app', '--from-literal=a=1', ...args], { user: 'alice' });
    await stage.cluster.kubectl(['annotate', 'configmap/app', 'team=shop', ...args], { user: 'carol' });
    await scene.waitForCommits(2);
    expect(await scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/app.yaml`)).toContain('    team: shop\n');
    await stage.cluster.kubectl(['delete', 'configmap', 'app', ...args], { user: 'bob@example.com' });
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/app by alice',
      '[UPDATE] ConfigMap/app by carol',
      '[DELETE] ConfigMap/app by bob@example.com',
    ]);
  });

  it('with generateName goes by the name that the object got', async () => {
    const scene = await stage.scene();
    const created = await stage.cluster.asUser('alice').create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: scene.namespace, generateName: 'job-' },
    });
    const [commit] = await scene.waitForCommits(1);
    expect(created.metadata.name).toMatch(/^job-.+/);
    expect(commit!.files).toEqual([
      { status: 'A', path: `namespaces/${scene.namespace}/ConfigMap/${created.metadata.name}.yaml` },
    ]);
    const text = await scene.remote.read(commit!.files[0]!.path);
    expect(text).toContain(`name: ${created.metadata.name}`);
  });

  it('that deletes a collection is a commit for each of its objects', async () => {
    const scene = await stage.scene();
    const names = ['one', 'two', 'three'];
    for (const name of names) await stage.cluster.admin.create(configMap(scene, name));
    await stage.cluster.admin.create({
      ...configMap(scene, 'stays'),
      metadata: { namespace: scene.namespace, name: 'stays', labels: { keep: 'yes' } },
    });
    await scene.waitForCommits(4);
    await stage.cluster
      .asUser('bob@example.com')
      .deleteCollection(
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: scene.namespace },
        { labelSelector: '!keep' },
      );
    await scene.waitForCommits(7);
    expect((await scene.subjects()).slice(4).sort()).toEqual(
      names.map((name) => `[DELETE] ConfigMap/${name} by bob@example.com`).sort(),
    );
    expect(await scene.remote.files()).toEqual([`namespaces/${scene.namespace}/ConfigMap/stays.yaml`]);
  });

  it('through the scale subresource is a commit with the new replicas by who scaled', async () => {
    const scene = await stage.scene({ resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] });
    const deployment = deploymentOf(scene.namespace, 'web');
    await stage.cluster.admin.create(deployment);
    await scene.waitForCommits(1);
    const args = ['scale', 'deployment/web', '--replicas=5', '-n', scene.namespace];
    await stage.cluster.kubectl(args, { user: 'alice' });
    const [, scaled] = await scene.waitForCommits(2);
    const path = `namespaces/${scene.namespace}/Deployment/web.yaml`;
    expect(await scene.remote.read(path)).toContain('replicas: 5\n');
    const live = await stage.cluster.admin.get(deployment);
    expect(scaled!.message).toBe(
      expectedMessage(scaled!, {
        ...{ operation: 'UPDATE', resource: 'Deployment/web', namespace: scene.namespace, user: 'alice' },
        resourceVersion: live.metadata.resourceVersion,
      }),
    );
    await stage.cluster.asUser('carol').scale(deployment, 0);
    await scene.waitForCommits(3);
    expect(await scene.remote.read(path)).toContain('replicas: 0\n');
    await stage.cluster.asUser('carol').scale(deployment, 0);
    await stage.cluster.asUser('dave@example.com').delete(deployment);
    await scene.waitForCommits(4);
    expect((await scene.subjects()).slice(2)).toEqual([
      '[UPDATE] Deployment/web by carol',
      '[DELETE] Deployment/web by dave@example.com',
    ]);
  });

  it('of replicas that an autoscaler owns, and back, is credited to who scales', async () => {
    const scene = await stage.scene({ resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] });
    const deployment = deploymentOf(scene.namespace, 'web');
    const scaleAs = (user: string, fieldManager: string, replicas: number): Promise<unknown> =>
      stage.cluster.asUser(user).patch(deployment, { spec: { replicas } }, { subresource: 'scale', fieldManager });
    const path = `namespaces/${scene.namespace}/Deployment/web.yaml`;
    await stage.cluster.asUser('alice').create(deployment);
    await scaleAs(AUTOSCALER, 'kube-controller-manager', 7); // the number is the autoscaler's now: it goes from the file
    await scene.waitForCommits(2);
    expect(await scene.remote.read(path)).not.toContain('replicas:');
    await scaleAs(AUTOSCALER, 'kube-controller-manager', 8); // no news
    await scaleAs('carol', 'kubectl', 3);
    await scene.waitForCommits(3);
    expect(await scene.remote.read(path)).toContain('replicas: 3\n');
    await scaleAs(AUTOSCALER, 'kube-controller-manager', 9);
    await scene.waitForCommits(4);
    expect(await scene.subjects()).toEqual([
      '[CREATE] Deployment/web by alice',
      `[UPDATE] Deployment/web by ${AUTOSCALER}`,
      '[UPDATE] Deployment/web by carol',
      `[UPDATE] Deployment/web by ${AUTOSCALER}`,
    ]);
  });

  it('by server-side apply is a commit, and none where the apply changes nothing', async () => {
    const scene = await stage.scene();
    const map = configMap(scene, 'applied', { a: '1' });
    const alice = stage.cluster.asUser('alice');
    await alice.apply(map, { fieldManager: 'alices-tool' });
    await alice.apply(map, { fieldManager: 'alices-tool' });
    // Owning a field that is there already changes managedFields, hence the version, but nothing that is in Git.
    await stage.cluster.asUser('carol').apply(map, { fieldManager: 'carols-tool' });
    await stage.cluster.asUser('bob@example.com').apply({ ...map, data: { b: '2' } }, { fieldManager: 'bobs-tool' });
    await scene.waitForCommits(2);
    await stage.cluster.admin.delete(map);
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/applied by alice',
      '[UPDATE] ConfigMap/applied by bob@example.com',
      '[DELETE] ConfigMap/applied by admin',
    ]);
  });

  it('through the status subresource is no commit', async () => {
    const scene = await stage.scene({ resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] });
    const deployment = deploymentOf(scene.namespace, 'web');
    await stage.cluster.admin.create(deployment);
    await stage.cluster.admin.patch(deployment, { status: { observedGeneration: 1 } }, { subresource: 'status' });
    await stage.cluster.asUser('alice').patch(deployment, { spec: { paused: true } });
    await scene.waitForCommits(2);
    await stage.cluster.admin.delete(deployment);
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] Deployment/web by admin',
      '[UPDATE] Deployment/web by alice',
      '[DELETE] Deployment/web by admin',
    ]);
    expect(await scene.remote.git('log', '-p', 'main')).not.toContain('observedGeneration');
  });

  it('that deletes an object with a finalizer removes the file at once, and what clears the finalizer is no commit', async () => {
    const scene = await stage.scene();
    const map = configMap(scene, 'held', { a: '1' });
    map.metadata['finalizers'] = ['example.com/hold'];
    const { cluster } = stage;
    await cluster.admin.create(map);
    await scene.waitForCommits(1);
    await cluster.asUser('alice').delete(map);
    await scene.waitForCommits(2);
    expect(await scene.remote.files()).toEqual([]);
    // A dying object is written and deleted again, and goes at last.
    await cluster.asUser('carol').patch(map, { data: { a: '2' } });
    await cluster.asUser('carol').delete(map);
    await cluster.asUser('bob@example.com').patch(map, { metadata: { finalizers: null } });
    await waitFor('the object to be gone', async () => (await cluster.admin.find(map)) === undefined);
    await cluster.asUser('dave@example.com').create({ ...map, metadata: { ...map.metadata, finalizers: undefined } });
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/held by admin',
      '[DELETE] ConfigMap/held by alice',
      '[CREATE] ConfigMap/held by dave@example.com',
    ]);
  });

  it('that deletes a namespace is credited to who asked, not to who finishes it', async () => {
    const environment = uniqueName('env');
    const scene = await stage.scene({
      resources: [{ apiVersion: 'v1', kind: 'Namespace' }],
      rule: { namespaceSelector: { matchLabels: { environment } } },
    });
    const { cluster } = stage;
    const name = uniqueName('shop');
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { environment } } };
    await cluster.asUser('alice').create(namespace);
    await cluster.asUser('bob@example.com').delete(namespace);
    const dying = await cluster.admin.get(namespace);
    expect(dying.metadata.deletionTimestamp).toBeDefined();
    await cluster.admin.replace({ ...dying, spec: { finalizers: [] } }, { subresource: 'finalize' });
    await waitFor('the namespace to be gone', async () => (await cluster.admin.find(namespace)) === undefined);
    await cluster.asUser('carol').create(namespace);
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      `[CREATE] Namespace/${name} by alice`,
      `[DELETE] Namespace/${name} by bob@example.com`,
      `[CREATE] Namespace/${name} by carol`,
    ]);
    expect(await scene.remote.files()).toEqual([`cluster-scoped/Namespace/${name}.yaml`]);
  });

  it('that recreates an object under its name keeps the order, however quick', async () => {
    const scene = await stage.scene();
    const map = (n: number): ReturnType<typeof configMap> => configMap(scene, 'phoenix', { step: String(n) });
    const expected: string[] = [];
    for (let n = 1; n <= 5; n++) {
      await stage.cluster.asUser('alice').create(map(n));
      await stage.cluster.asUser('bob@example.com').delete(map(n));
      expected.push('[CREATE] ConfigMap/phoenix by alice', '[DELETE] ConfigMap/phoenix by bob@example.com');
    }
    await stage.cluster.asUser('carol').create(map(6));
    await scene.waitForCommits(11);
    expect(await scene.subjects()).toEqual([...expected, '[CREATE] ConfigMap/phoenix by carol']);
    expect(await scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/phoenix.yaml`)).toContain('step: "6"');
  });

  it('by a service account is by its whole name', async () => {
    const scene = await stage.scene();
    await stage.cluster.asUser(SERVICE_ACCOUNT).create(configMap(scene, 'app'));
    const [commit] = await scene.waitForCommits(1);
    expect(commit!.author).toEqual({
      name: SERVICE_ACCOUNT,
      email: `${SERVICE_ACCOUNT}@users.noreply.cluster.local`,
    });
  });

  it('by an impersonated user is by that user', async () => {
    const scene = await stage.scene();
    const args = ['create', 'configmap', 'app', '-n', scene.namespace];
    await stage.cluster.kubectl([...args, '--as=oncall@example.com', '--as-group=system:masters']);
    const [commit] = await scene.waitForCommits(1);
    expect(commit!.author.name).toBe('oncall@example.com');
  });

  it('by a user with a hostile name adds no line, no trailer and no second identity', async () => {
    const scene = await stage.scene();
    await stage.cluster.asUser(HOSTILE_USER).create(configMap(scene, 'app'));
    const [commit] = await scene.waitForCommits(1);
    expect(commit!.message.split('\n')).toHaveLength(10);
    expect(commit!.message).not.toMatch(/^Event-Id: forged/m);
    expect(commit!.message).not.toMatch(/^Co-authored-by/m);
    const trailers = await scene.remote.git('log', '-1', '--format=%(trailers:only,unfold)', 'main');
    expect(trailers.trim()).toMatch(/^Event-Id: [0-9a-f-]{36}$/);
    expect(commit!.author.name).toContain('eve');
    expect(`${commit!.author.name}${commit!.author.email}`).not.toMatch(/[<>\n]/);
    await scene.remote.git('fsck', '--strict', '--no-dangling');
  });
});

function deploymentOf(namespace: string, name: string) {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'nginx' }] } },
    },
  };
}
