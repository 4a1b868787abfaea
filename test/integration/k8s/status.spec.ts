import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KubeApi, KubeEvents, StatusWriter, loadKubeConfig, setReadiness } from '#k8s';
import type { ObjectStatus, StatusPatch } from '#k8s';
import type { KubeObject } from '#domain';
import { startTestCluster } from '../../support/cluster.ts';
import type { TestCluster } from '../../support/cluster.ts';

let cluster: TestCluster;
let api: KubeApi;
let namespace: string;
let rule: KubeObject;

const path = (): string => `/apis/configbutler.ai/v1alpha1/namespaces/${namespace}/watchrules/rule`;
const ref = (): { group: string; version: string; resource: string; namespace: string; name: string; uid: string } => ({
  group: 'configbutler.ai',
  version: 'v1alpha1',
  resource: 'watchrules',
  namespace,
  name: 'rule',
  uid: rule.metadata.uid ?? '',
});

beforeAll(async () => {
  cluster = await startTestCluster();
  api = new KubeApi(loadKubeConfig(cluster.kubeconfigFor('admin')));
  namespace = await cluster.createNamespace();
  await cluster.admin.create({
    apiVersion: 'configbutler.ai/v1alpha1',
    kind: 'WatchRule',
    metadata: { namespace, name: 'rule' },
    spec: { gitRepoConfigRef: 'audit', resources: [{ apiVersion: 'v1', kind: 'ConfigMap' }] },
  });
  rule = await api.get(path());
}, 120_000);

afterAll(async () => {
  api.close();
  await cluster.stop();
});

describe('StatusWriter', () => {
  const ready = (status: ObjectStatus): StatusPatch => ({
    conditions: setReadiness(
      status.conditions ?? [],
      'ready',
      { reason: 'Synced', message: 'All is well.' },
      Date.now(),
    ),
  });

  it('writes a status once, and not again while nothing changes', async () => {
    const writer = new StatusWriter(api);

    expect(await writer.patch(ref(), ready)).toBe(true);
    const version = (await api.get(path())).metadata.resourceVersion;
    expect(await writer.patch(ref(), ready)).toBe(false);

    expect((await api.get(path())).metadata.resourceVersion).toBe(version);
  });

  it('keeps what other writers set at the same time', async () => {
    const writer = new StatusWriter(api);
    const add = (type: string) => (status: ObjectStatus) => {
      const lastTransitionTime = '2026-01-31T18:30:00Z';
      const condition = { type, status: 'True' as const, reason: 'Test', message: '', lastTransitionTime };
      return { conditions: [...(status.conditions ?? []), condition] };
    };

    await Promise.all(['A', 'B', 'C', 'D'].map((type) => writer.patch(ref(), add(type))));

    const status = (await api.get(path()))['status'] as ObjectStatus;
    expect(status.conditions?.map((condition) => condition.type)).toEqual(expect.arrayContaining(['A', 'B', 'C', 'D']));
  });

  it('leaves an object alone that has another uid, or is gone', async () => {
    const writer = new StatusWriter(api);

    expect(await writer.patch({ ...ref(), uid: 'old' }, { matchedResources: 1 })).toBe(false);
    expect(await writer.patch({ ...ref(), name: 'gone' }, { matchedResources: 1 })).toBe(false);
  });
});

describe('KubeEvents', () => {
  const list = async (): Promise<KubeObject[]> =>
    (await api.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`)).items;

  it('writes one event for many equal ones, with their count', async () => {
    const events = new KubeEvents(api, {
      kubeConfig: loadKubeConfig(cluster.kubeconfigFor('admin')),
      podNamespace: namespace,
      instanceName: 'reverser',
    });
    const event = {
      regarding: rule,
      type: 'Warning',
      reason: 'PushFailed',
      message: 'ü'.repeat(2000),
      action: 'Push',
    } as const;

    for (let times = 0; times < 5; times += 1) await events.emit(event);
    await events.onApplicationShutdown();

    const written = await list();
    expect(written).toHaveLength(1);
    expect(written[0]).toMatchObject({ reason: 'PushFailed', type: 'Warning', series: { count: 5 } });
  });

  it('never throws, even where no namespace is', async () => {
    const events = new KubeEvents(api, {
      kubeConfig: loadKubeConfig(cluster.kubeconfigFor('admin')),
      podNamespace: namespace,
      instanceName: 'reverser',
    });
    const regarding = { ...rule, metadata: { ...rule.metadata, namespace: 'nowhere' } };

    await expect(
      events.emit({ regarding, type: 'Normal', reason: 'Test', message: 'm', action: 'Test' }),
    ).resolves.toBeUndefined();
  });
});
