import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { startControlPlane } from '../../tools/control-plane/index.ts';
import { KubeError } from '../support/kube.ts';

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the local control plane', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ users: ['system:serviceaccount:kube-system:some-controller'] });
  });
  afterAll(() => cluster.stop());

  it.each(['alice', 'bob@example.com', 'system:serviceaccount:kube-system:some-controller'])(
    'knows %s by name',
    async (name) => {
      const review = await cluster.asUser(name).create<{ status: { userInfo: { username: string } } }>({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'SelfSubjectReview',
        metadata: {},
      });
      expect(review.status.userInfo.username).toBe(name);
    },
  );

  it('refuses a token that it did not hand out', async () => {
    const { url, caFile } = cluster.controlPlane;
    const stranger = await startStranger(url, caFile);
    expect(stranger).toBe(401);
  });

  it('serves the custom resources', async () => {
    expect(await cluster.kubectl(['get', 'gitrepoconfigs,watchrules', '--all-namespaces'])).toBe('');
  });

  it('writes, applies, scales and deletes as a user, and writes nothing in a dry run', async () => {
    const namespace = await cluster.createNamespace({ environment: 'test' });
    const alice = cluster.asUser('alice');
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'settings' }, data: { a: '1' } };
    await alice.create(map, { dryRun: true });
    expect(await alice.find(map)).toBeUndefined();
    const created = await alice.create(map);
    await alice.patch(map, { data: { a: '2' } });
    await alice.apply({ ...map, data: { b: '3' } }, { fieldManager: 'alices-tool' });
    expect(await alice.get(map)).toMatchObject({
      metadata: { uid: created.metadata.uid },
      data: { a: '2', b: '3' },
    });
    await alice.delete(map);
    await expect(alice.get(map)).rejects.toThrow(KubeError);
  });

  it('keeps its data and its address through a restart of the API server', async () => {
    const namespace = await cluster.createNamespace();
    const before = cluster.controlPlane.pids();
    await cluster.controlPlane.restartApiServer();
    expect(cluster.controlPlane.pids().apiserver).not.toBe(before.apiserver);
    expect(await cluster.kubectl(['get', 'namespace', namespace, '-o', 'name'])).toBe(`namespace/${namespace}\n`);
  });

  it('runs beside another one, and leaves nothing running after its end', async () => {
    const other = await startControlPlane();
    const { etcd, apiserver } = other.pids();
    expect(other.url).not.toBe(cluster.controlPlane.url);
    expect([etcd, apiserver].map(isRunning)).toEqual([true, true]);
    await other.stop();
    expect([etcd, apiserver].map(isRunning)).toEqual([false, false]);
  });
});

async function startStranger(url: string, caFile: string): Promise<number> {
  const { KubeClient } = await import('../../tools/kube/kube-client.ts');
  const client = new KubeClient({ url, caFile }, 'no-such-token');
  try {
    return (await client.try({ method: 'GET', path: '/api/v1/namespaces' })).status;
  } finally {
    client.close();
  }
}
