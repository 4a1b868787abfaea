import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CertificateManager, KubeApi, ensureKeySecret, loadKubeConfig, objectPath } from '#k8s';
import type { ServingCertificate } from '#k8s';
import { startTestCluster } from '../../support/cluster.ts';
import type { TestCluster } from '../../support/cluster.ts';
import { waitFor } from '../../support/wait-for.ts';

const SECRETS = { group: '', version: 'v1', resource: 'secrets' };

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

function managerIn(podNamespace: string): CertificateManager {
  const kubeConfig = loadKubeConfig(cluster.kubeconfigFor('admin'));
  return new CertificateManager(api, { kubeConfig, podNamespace, instanceName: 'reverser' });
}

describe('CertificateManager', () => {
  it('gives replicas that start together the same certificate', async () => {
    const namespace = await cluster.createNamespace();
    const got: ServingCertificate[] = [];
    const managers = [managerIn(namespace), managerIn(namespace), managerIn(namespace)];

    await Promise.all(
      managers.map((manager) =>
        manager.start({ names: ['127.0.0.1'], onChange: (certificate) => got.push(certificate) }),
      ),
    );
    await Promise.all(managers.map((manager) => manager.stop()));

    expect(got).toHaveLength(3);
    expect(new Set(got.map((certificate) => JSON.stringify(certificate))).size).toBe(1);
  });

  it('repairs a Secret that was edited to rubbish, and one that was deleted', async () => {
    const namespace = await cluster.createNamespace();
    const path = objectPath(SECRETS, namespace, 'reverser-webhook-tls');
    const got: ServingCertificate[] = [];
    const manager = managerIn(namespace);
    await manager.start({ names: ['webhook.test.svc'], onChange: (certificate) => got.push(certificate) });

    await api.patch(path, { data: { 'ca.crt': Buffer.from('rubbish').toString('base64'), 'tls.key': null } });
    await waitFor('a second certificate', () => got.length === 2);
    await api.delete(path);
    await waitFor('a third certificate', () => got.length === 3);
    await manager.stop();

    expect(got[2]?.caBundle).toContain('BEGIN CERTIFICATE');
    expect((await api.get(path)).metadata.labels).toEqual({ 'configbutler.ai/instance': 'reverser' });
  });

  it('says that its namespace is missing', async () => {
    const watch = { names: ['127.0.0.1'], onChange: () => undefined };

    await expect(managerIn('nowhere').reconcile(watch)).rejects.toMatchObject({
      code: 'NamespaceNotFound',
      message: expect.stringContaining("namespace 'nowhere' does not exist"),
    });
  });
});

describe('ensureKeySecret', () => {
  it('gives all replicas the same key, now and later', async () => {
    const namespace = await cluster.createNamespace();
    const options = { namespace, name: 'reverser-digest-key', instanceName: 'reverser', key: 'key', bytes: 32 };

    const keys = await Promise.all(Array.from({ length: 5 }, () => ensureKeySecret(api, options)));
    const later = await ensureKeySecret(api, options);

    expect(new Set([...keys, later].map((key) => key.toString('hex'))).size).toBe(1);
    expect(later).toHaveLength(32);
  });
});
