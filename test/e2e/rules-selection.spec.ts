import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import {
  configMap,
  repositoryOf,
  ruleOf,
  startStage,
  uniqueName,
  waitUntilReady,
  type Scene,
  type Stage,
} from '../support/e2e-stage.ts';
import type { LiveObject } from '../support/kube.ts';
import { OPERATOR_NAMESPACE } from '../support/operator.ts';
import { metricValue } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

const EVERYTHING = [{ apiVersion: '*', kind: '*' }];
const CONTROLLER = 'system:serviceaccount:kube-system:some-controller';

describe('a rule', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage({ users: [CONTROLLER, 'ci-bot-1', 'ci-bot-2'] });
  });
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  const labelled = (scene: Scene, name: string, labels: Record<string, string>, annotations = {}) => ({
    ...configMap(scene, name),
    metadata: { namespace: scene.namespace, name, labels, annotations },
  });

  it('with excludeLabels and labelSelector takes the objects whose labels fit', async () => {
    const scene = await stage.scene({
      rule: {
        labelSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['web', 'db'] }] },
        excludeLabels: { matchLabels: { 'gitops-reverser/ignore': 'please' } },
      },
    });
    const { admin } = stage.cluster;
    await admin.create(labelled(scene, 'no-tier', {}));
    await admin.create(labelled(scene, 'other-tier', { tier: 'cache' }));
    await admin.create(labelled(scene, 'excluded', { tier: 'db', 'gitops-reverser/ignore': 'please' }));
    await admin.create(labelled(scene, 'wanted', { tier: 'web' }));
    await scene.waitForCommits(1);
    // An object that gets the label is one of them from then on; one that loses it is none, and keeps its file.
    await admin.patch(labelled(scene, 'no-tier', {}), { metadata: { labels: { tier: 'web' } } });
    await scene.waitForCommits(2);
    await admin.patch(labelled(scene, 'no-tier', {}), { metadata: { labels: { tier: null } } });
    await admin.patch(labelled(scene, 'no-tier', {}), { data: { a: '1' } });
    await admin.patch(labelled(scene, 'no-tier', {}), { metadata: { labels: { tier: 'db' } } });
    await scene.waitForCommits(3);
    await admin.delete(labelled(scene, 'excluded', {}));
    await admin.delete(labelled(scene, 'no-tier', {}));
    await scene.waitForCommits(4);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/wanted by admin',
      '[UPDATE] ConfigMap/no-tier by admin',
      '[UPDATE] ConfigMap/no-tier by admin',
      '[DELETE] ConfigMap/no-tier by admin',
    ]);
    expect(await scene.remote.files()).toEqual([`namespaces/${scene.namespace}/ConfigMap/wanted.yaml`]);
  });

  it('leaves an object out that says so by label or by annotation', async () => {
    const scene = await stage.scene();
    const { admin } = stage.cluster;
    const ignore = { 'gitops-reverser/ignore': 'true' };
    await admin.create(labelled(scene, 'by-label', ignore));
    await admin.create(labelled(scene, 'by-annotation', {}, ignore));
    await admin.create(labelled(scene, 'not-ignored', { 'gitops-reverser/ignore': 'false' }));
    await scene.waitForCommits(1);
    await admin.patch(labelled(scene, 'by-label', {}), { metadata: { labels: { 'gitops-reverser/ignore': null } } });
    await scene.waitForCommits(2);
    await admin.delete(labelled(scene, 'by-annotation', {}));
    await admin.delete(labelled(scene, 'by-label', {}));
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/not-ignored by admin',
      '[UPDATE] ConfigMap/by-label by admin',
      '[DELETE] ConfigMap/by-label by admin',
    ]);
  });

  it('with excludeUsers leaves their writes out, and the next one of somebody else carries what they wrote', async () => {
    const scene = await stage.scene({ rule: { excludeUsers: ['ci-bot-*', 'dave@example.com'] } });
    const map = configMap(scene, 'shared', { a: '1' });
    await stage.cluster.asUser('ci-bot-1').create(map);
    await stage.cluster.asUser('ci-bot-2').patch(map, { data: { bot: 'was-here' } });
    await stage.cluster.asUser('dave@example.com').patch(map, { data: { dave: 'too' } });
    await stage.cluster.asUser('alice').patch(map, { data: { a: '2' } });
    await scene.waitForCommits(1);
    expect(await scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/shared.yaml`)).toMatch(
      /data:\n {2}a: "2"\n {2}bot: was-here\n {2}dave: too\n/,
    );
    await stage.cluster.asUser('ci-bot-1').patch(map, { data: { a: '3' } });
    await stage.cluster.asUser('alice').delete(map);
    await scene.waitForCommits(2);
    expect(await scene.subjects()).toEqual([
      '[UPDATE] ConfigMap/shared by alice',
      '[DELETE] ConfigMap/shared by alice',
    ]);
  });

  it('with excludeFieldManagers leaves the writes of a tool out', async () => {
    const scene = await stage.scene({ rule: { excludeFieldManagers: ['argocd-*', 'helm'] } });
    const map = configMap(scene, 'synced', { a: '1' });
    const alice = stage.cluster.asUser('alice');
    await alice.create(map, { fieldManager: 'argocd-controller' });
    await alice.apply({ ...map, data: { b: '1' } }, { fieldManager: 'helm' });
    await alice.patch(map, { data: { a: '2' } }, { fieldManager: 'kubectl-edit' });
    await scene.waitForCommits(1);
    await alice.patch(map, { data: { a: '3' } }, { fieldManager: 'argocd-controller' });
    await alice.delete(map);
    await scene.waitForCommits(2);
    expect(await scene.subjects()).toEqual([
      '[UPDATE] ConfigMap/synced by alice',
      '[DELETE] ConfigMap/synced by alice',
    ]);
  });

  it('with operations takes those alone', async () => {
    const scene = await stage.scene({ rule: { operations: ['CREATE', 'DELETE'] } });
    const map = configMap(scene, 'partial', { a: '1' });
    const { admin } = stage.cluster;
    await admin.create(map);
    await admin.patch(map, { data: { a: '2' } });
    await admin.delete(map);
    await scene.waitForCommits(2);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/partial by admin',
      '[DELETE] ConfigMap/partial by admin',
    ]);
  });

  it('with wildcards takes built-in and custom kinds, and leaves out what is noise', async () => {
    const scene = await stage.scene({ resources: EVERYTHING });
    const { namespace } = scene;
    const { admin } = stage.cluster;
    const create = (apiVersion: string, kind: string, name: string, more: object = {}): Promise<unknown> =>
      admin.create({ apiVersion, kind, metadata: { namespace, name }, ...more });
    const container = { name: 'c', image: 'i' };
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } };
    const selector = { matchLabels: { a: 'b' } };
    await create('v1', 'Pod', 'noise', { spec: { containers: [container] } });
    await create('apps/v1', 'ReplicaSet', 'noise', { spec: { selector, template } });
    await create('coordination.k8s.io/v1', 'Lease', 'noise');
    await create('v1', 'Endpoints', 'noise');
    await create('discovery.k8s.io/v1', 'EndpointSlice', 'noise', { addressType: 'IPv4', endpoints: [] });
    await create('v1', 'Event', 'noise', { involvedObject: { namespace } });
    await create('v1', 'Secret', 'sh.helm.release.v1.noise.v1', { type: 'helm.sh/release.v1' });
    await create('v1', 'ConfigMap', 'kube-root-ca.crt');
    await stage.cluster.asUser(CONTROLLER).create(configMap(scene, 'noise'));
    await create('v1', 'Service', 'wanted', { spec: { ports: [{ port: 80 }] } });
    await create('apps/v1', 'Deployment', 'wanted', { spec: { selector, template } });
    await create('v1', 'Secret', 'wanted');
    await create('rbac.authorization.k8s.io/v1', 'Role', 'wanted', { rules: [] });
    await create('configbutler.ai/v1alpha1', 'GitRepoConfig', 'wanted', {
      spec: { url: scene.remote.url, suspend: true },
    });
    await scene.waitForCommits(5);
    await create('v1', 'ConfigMap', 'last');
    await scene.waitForCommits(6);
    expect(await scene.remote.files()).toEqual(
      [
        'ConfigMap/last',
        'Deployment/wanted',
        'GitRepoConfig.configbutler.ai/wanted',
        'Role/wanted',
        'Secret/wanted',
        'Service/wanted',
      ].map((name) => `namespaces/${namespace}/${name}.yaml`),
    );
    // In every other namespace it sees nothing; of the kube-system controllers' writes only the deletions.
    expect(
      (await stage.cluster.admin.get<{ status: { matchedResources: string[] } }>(scene.rule)).status.matchedResources,
    ).toEqual(
      expect.arrayContaining(['v1/configmaps', 'apps/v1/deployments', 'configbutler.ai/v1alpha1/gitrepoconfigs']),
    );
  });

  it('brings back what a wildcard leaves out when it names the kind', async () => {
    const scene = await stage.scene({
      resources: [
        ...EVERYTHING,
        { apiVersion: 'v1', kind: 'Pod' },
        { apiVersion: 'coordination.k8s.io/*', kind: 'Lease' },
      ],
    });
    const { namespace } = scene;
    await stage.cluster.admin.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: 'named' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    await stage.cluster.asUser(CONTROLLER).create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name: 'named' },
    });
    await scene.waitForCommits(2);
    expect(await scene.remote.files()).toEqual([
      `namespaces/${namespace}/Lease/named.yaml`,
      `namespaces/${namespace}/Pod/named.yaml`,
    ]);
  });

  it('without a namespaceSelector takes all namespaces and cluster-scoped kinds, kube-system and its own aside', async () => {
    const scene = await stage.scene({ resources: EVERYTHING, rule: { namespaceSelector: undefined } });
    const { admin } = stage.cluster;
    const name = uniqueName('app');
    for (const namespace of [OPERATOR_NAMESPACE, 'kube-system', 'default'])
      await admin.create(configMap({ namespace }, name));
    await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await admin.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: [],
    });
    await scene.waitForCommits(3);
    await admin.create(configMap(scene, name));
    await scene.waitForCommits(4);
    expect((await scene.remote.files()).filter((file) => file.includes(name))).toEqual([
      `cluster-scoped/ClusterRole/${name}.yaml`,
      `cluster-scoped/Namespace/${name}.yaml`,
      `namespaces/default/ConfigMap/${name}.yaml`,
      `namespaces/${scene.namespace}/ConfigMap/${name}.yaml`,
    ]);
  });

  it('that takes everything sees one commit for a Service and for a CRD, and not what the API server makes of them', async () => {
    const scene = await stage.scene({ resources: EVERYTHING, rule: { namespaceSelector: undefined } });
    const { cluster, operator } = stage;
    const alice = cluster.asUser('alice');
    const skipped = async (reason: string): Promise<number> =>
      metricValue(await operator.metrics(), 'gitops_reverser_events_processed_total', { result: 'skipped', reason });
    const before = await skipped('default-object');
    const service = await alice.create<LiveObject & { spec: { clusterIP: string } }>({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: scene.namespace, name: 'web' },
      spec: { ports: [{ port: 80 }] },
    });
    // It made an IPAddress, and makes an APIService.
    const address = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: { name: service.spec.clusterIP },
    };
    expect(await cluster.admin.find(address)).toBeDefined();
    const group = `${uniqueName('noise')}.example.com`;
    const schema = { openAPIV3Schema: { type: 'object' } };
    await alice.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind: 'Thing', plural: 'things' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    });
    const apiService = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.${group}` },
    };
    await waitFor('the APIService', () => cluster.admin.find(apiService));
    await waitFor('its call', async () => (await skipped('default-object')) > before);
    await alice.delete(service);
    await scene.waitForCommits(3);
    await alice.create(configMap(scene, 'last'));
    await scene.waitForCommits(4);
    expect(await scene.subjects()).toEqual([
      '[CREATE] Service/web by alice',
      `[CREATE] CustomResourceDefinition/things.${group} by alice`,
      '[DELETE] Service/web by alice',
      '[CREATE] ConfigMap/last by alice',
    ]);
  });

  it('never takes the own namespace, even where it is named and selected', async () => {
    const scene = await stage.scene({
      rule: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': OPERATOR_NAMESPACE } } },
    });
    const other = ruleOf(scene.namespace, 'other', 'repo');
    await stage.cluster.admin.create(other);
    await waitUntilReady(stage.cluster, other);
    await stage.cluster.admin.create(configMap({ namespace: OPERATOR_NAMESPACE }, uniqueName('own')));
    await stage.cluster.admin.create(configMap(scene, 'seen'));
    await scene.waitForCommits(1);
    expect(await scene.remote.files()).toEqual([`namespaces/${scene.namespace}/ConfigMap/seen.yaml`]);
  });

  it('takes a namespace and its objects that are applied together', async () => {
    const environment = uniqueName('env');
    const scene = await stage.scene({
      resources: [
        { apiVersion: 'v1', kind: 'ConfigMap' },
        { apiVersion: 'v1', kind: 'Namespace' },
      ],
      rule: { namespaceSelector: { matchLabels: { environment } } },
    });
    for (const namespace of [uniqueName('shop'), uniqueName('shop'), uniqueName('shop')]) {
      const objects = [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { environment } } },
        configMap({ namespace }, 'first'),
        configMap({ namespace }, 'second'),
      ];
      const input = objects.map((object) => stringify(object)).join('---\n');
      await stage.cluster.kubectl(['apply', '-f', '-'], { user: 'alice', input });
    }
    const commits = await scene.waitForCommits(9);
    expect(commits.map(({ author }) => author.name)).toEqual(Array.from({ length: 9 }, () => 'alice'));
    const files = await scene.remote.files();
    expect(files.filter((file) => file.startsWith('cluster-scoped/Namespace/shop-'))).toHaveLength(3);
    expect(files.filter((file) => /^namespaces\/shop-\w+\/ConfigMap\/(first|second)\.yaml$/.test(file))).toHaveLength(
      6,
    );
  });

  it('with a namespaceSelector follows the labels of namespaces', async () => {
    const environment = uniqueName('env');
    const scene = await stage.scene({ rule: { namespaceSelector: { matchLabels: { environment } } } });
    const { admin } = stage.cluster;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: scene.namespace } };
    await admin.create(configMap(scene, 'before'));
    await admin.patch(namespace, { metadata: { labels: { environment } } });
    // The news reaches the API server and the operator within moments: how many, nobody promises.
    await waitFor('a change in the namespace to be captured', async () => {
      await admin.create(configMap(scene, uniqueName('during')));
      return (await scene.commits()).length > 0;
    });
    await admin.patch(configMap(scene, 'before'), { data: { a: '1' } });
    await waitFor('the file', () => scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/before.yaml`));
    await admin.patch(namespace, { metadata: { labels: { environment: null } } });
    const text = (): Promise<string | undefined> =>
      scene.remote.read(`namespaces/${scene.namespace}/ConfigMap/before.yaml`);
    let step = 1;
    await waitFor('a change in the namespace to be left out', async () => {
      await admin.patch(configMap(scene, 'before'), { data: { a: String(++step) } });
      const look = async (): Promise<boolean> => (await text())?.includes(`a: "${step}"`) === true;
      const written = await waitFor('it', look, { timeoutMs: 1_500 }).catch(() => false);
      return !written;
    });
  });

  it('leaves out objects with a controlling owner, unless it includes them', async () => {
    const scene = await stage.scene({ rule: { excludeUsers: ['nobody'] } });
    const other = await stage.createRemote();
    const repository = repositoryOf(scene.namespace, 'owned', other);
    const rule = ruleOf(scene.namespace, 'owned', 'owned', undefined, { includeOwned: true });
    const { admin } = stage.cluster;
    await admin.create(repository);
    await admin.create(rule);
    await Promise.all([repository, rule].map((object) => waitUntilReady(stage.cluster, object)));
    const owner = await admin.create(configMap(scene, 'owner'));
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid };
    const owned = (name: string, controller: boolean) => ({
      ...configMap(scene, name),
      metadata: { namespace: scene.namespace, name, ownerReferences: [{ ...reference, controller }] },
    });
    await admin.create(owned('controlled', true));
    await admin.create(owned('loosely-owned', false));
    await scene.waitForCommits(2);
    await waitFor('all in the other repository', async () => (await other.log()).length === 3);
    const names = (files: string[]): string[] => files.map((file) => file.split('/').at(-1)!);
    expect(names(await scene.remote.files())).toEqual(['loosely-owned.yaml', 'owner.yaml']);
    expect(names(await other.files())).toEqual(['controlled.yaml', 'loosely-owned.yaml', 'owner.yaml']);
  });
});
