import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Discovery, KubeApi, KubeInformer, collectionPath, loadKubeConfig, objectPath, readVersions } from '#k8s';
import type { KubeObject, ObjectRef } from '#domain';
import { startTestCluster } from '../../support/cluster.ts';
import type { TestCluster } from '../../support/cluster.ts';
import { waitFor } from '../../support/wait-for.ts';

const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' };

let cluster: TestCluster;
let api: KubeApi;

beforeAll(async () => {
  cluster = await startTestCluster();
  api = new KubeApi(loadKubeConfig(cluster.kubeconfigFor('admin')));
}, 120_000);

afterAll(async () => {
  api.close();
  await cluster.stop();
});

function configMap(name: string, data: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

describe('KubeApi', () => {
  let namespace: string;
  const path = (name: string): string => objectPath(CONFIG_MAPS, namespace, name);
  const create = (name: string): Promise<KubeObject> =>
    api.create(collectionPath(CONFIG_MAPS, namespace), configMap(name));

  beforeAll(async () => {
    namespace = await cluster.createNamespace();
  });

  it('reads an object live as the JSON that is stored, timestamps as text', async () => {
    const { uid = '' } = (await create('live')).metadata;
    const ref = { ...CONFIG_MAPS, kind: 'ConfigMap', namespace, name: 'live', uid };

    const live = await api.readLive(ref);

    expect(live).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { uid } });
    expect(typeof live?.metadata.creationTimestamp).toBe('string');
  });

  it('reads nothing where no object is', async () => {
    expect(await api.readLive({ ...CONFIG_MAPS, kind: 'ConfigMap', namespace, name: 'none', uid: '' })).toBeUndefined();
  });

  it('lists all pages, every item with its kind, also as metadata only and where nothing is', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await create(name);
    const collection = collectionPath(CONFIG_MAPS, namespace);

    const { items } = await api.list(collection, { pageSize: 1 });

    expect(items.map((item) => item.metadata.name)).toEqual(expect.arrayContaining(['page-a', 'page-b', 'page-c']));
    expect(new Set(items.map((item) => `${item.apiVersion}/${item.kind}`))).toEqual(new Set(['v1/ConfigMap']));
    const empty = await api.list(collectionPath(CONFIG_MAPS, 'kube-node-lease'), { metadataOnly: true });
    expect(empty.items).toEqual([]);
  });

  it('refuses to overwrite a newer version, and says Conflict', async () => {
    const old = await create('conflict');
    await api.patch(path('conflict'), { data: { a: '1' } });

    await expect(api.update(path('conflict'), old)).rejects.toMatchObject({ code: 'Conflict', retryable: true });
  });

  it('deletes many objects one after the other over the same connection', async () => {
    for (const name of ['gone-a', 'gone-b', 'gone-c']) await create(name);

    for (const name of ['gone-a', 'gone-b', 'gone-c']) await api.delete(path(name));

    await expect(api.get(path('gone-c'))).rejects.toMatchObject({ code: 'NotFound' });
  });

  describe('tells the history of one object name', () => {
    const ref = (name: string): ObjectRef => ({ ...CONFIG_MAPS, kind: 'ConfigMap', namespace, name, uid: '' });
    const versionOf = ({ metadata }: KubeObject): string => metadata.resourceVersion ?? '';

    it('with each version up to the one that is asked for, and nothing of other names', async () => {
      const first = await create('story');
      await create('story-of-another');
      const second = await api.patch(path('story'), { data: { a: '1' } });
      await api.delete(path('story'));
      const third = await create('story');
      await api.patch(path('story'), { data: { a: '2' } });

      const versions = await readVersions(api, ref('story'), {
        since: versionOf(first),
        isLast: ({ object }) => versionOf(object) === versionOf(third),
      });

      expect(versions?.map(({ type }) => type)).toEqual(['MODIFIED', 'DELETED', 'ADDED']);
      expect(versions?.[0]?.object).toEqual(second);
      expect(versions?.[2]?.object).toEqual(third);
    });

    it('also of a name that a field selector would take for more', async () => {
      const roles = { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles' };
      const name = 'odd,metadata.name=other\\';
      const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules: [] };
      const first = await api.create(collectionPath(roles), role);
      await api.delete(objectPath(roles, undefined, name));

      const versions = await readVersions(
        api,
        { ...roles, kind: 'ClusterRole', name, uid: '' },
        { since: versionOf(first), isLast: ({ type }) => type === 'DELETED' },
      );

      expect(versions?.map(({ object }) => object.metadata.name)).toEqual([name]);
    });

    it('or nothing, where the API server does not have it any more', async () => {
      const first = await create('forgotten');
      await api.patch(path('forgotten'), { data: { a: '1' } });
      await cluster.controlPlane.restartApiServer(); // with it goes what its watch cache held

      const history = readVersions(api, ref('forgotten'), { since: versionOf(first), isLast: () => true });

      await expect(history).resolves.toBeUndefined();
    }, 60_000);
  });

  it('says Unauthorized for an unknown token', async () => {
    const config = loadKubeConfig(cluster.kubeconfigFor('admin'));
    config.users = config.users.map((user) => ({ name: user.name, token: 'unknown' }));
    const stranger = new KubeApi(config);

    await expect(stranger.get('/api/v1/namespaces/default')).rejects.toMatchObject({
      code: 'Unauthorized',
      status: 401,
    });
    stranger.close();
  });
});

describe('Discovery', () => {
  it('finds built-in and custom types with their subresources', async () => {
    const { types, failedGroups } = await new Discovery(api).listResourceTypes();

    expect(failedGroups).toEqual([]);
    expect(types).toContainEqual(
      expect.objectContaining({ group: 'apps', version: 'v1', kind: 'Deployment', namespaced: true, preferred: true }),
    );
    expect(types.find((type) => type.resource === 'deployments')?.subresources).toEqual(
      expect.arrayContaining(['scale', 'status']),
    );
    expect(types.find((type) => type.resource === 'watchrules')).toMatchObject({
      group: 'configbutler.ai',
      kind: 'WatchRule',
    });
  });
});

describe('KubeInformer', () => {
  it('tells what is there, what changes and what goes, with metadata only', async () => {
    const namespace = await cluster.createNamespace();
    const collection = collectionPath(CONFIG_MAPS, namespace);
    await api.create(collection, configMap('first'));
    const told: string[] = [];
    const tell = (what: string) => (object: KubeObject) => void told.push(`${what} ${object.metadata.name}`);
    const informer = new KubeInformer(api, {
      type: CONFIG_MAPS,
      namespace,
      metadataOnly: true,
      onAdd: tell('add'),
      onUpdate: tell('update'),
      onDelete: tell('delete'),
    });

    await informer.synced;
    expect(told).toEqual(['add first']);
    await api.create(collection, configMap('second', { a: '1' }));
    await api.patch(`${collection}/second`, { data: { a: '2' } });
    await api.delete(`${collection}/second`);
    await waitFor('the deletion', () => told.includes('delete second'));
    await informer.stop();

    expect(told).toEqual(['add first', 'add second', 'update second', 'delete second']);
    expect(informer.get(namespace, 'first')).not.toHaveProperty('data');
    expect(informer.get(namespace, 'second')).toBeUndefined();
  });

  it('goes on after the API server was away, and misses nothing', async () => {
    const namespace = await cluster.createNamespace();
    const collection = collectionPath(CONFIG_MAPS, namespace);
    const informer = new KubeInformer(api, { type: CONFIG_MAPS, namespace });
    await informer.synced;

    await cluster.controlPlane.restartApiServer();
    const name = `after-${randomBytes(3).toString('hex')}`;
    await api.create(collection, configMap(name));

    await waitFor('the new object', () => informer.get(namespace, name), { timeoutMs: 30_000 });
    await informer.stop();
  }, 60_000);
});
