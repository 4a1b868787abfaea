import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  KubeApi,
  WebhookRegistrar,
  buildWebhookConfiguration,
  issueCa,
  issueServingCert,
  loadKubeConfig,
  objectPath,
} from '#k8s';
import type { SelectedResource, WebhookConfiguration } from '#k8s';
import type { KubeObject } from '#domain';
import { startTestCluster } from '../../support/cluster.ts';
import type { TestCluster } from '../../support/cluster.ts';
import { waitFor } from '../../support/wait-for.ts';

const INSTANCE = 'reverser';
const RULE = { group: 'configbutler.ai', version: 'v1alpha1', resource: 'watchrules' };
const CONFIGURATION = objectPath(
  { group: 'admissionregistration.k8s.io', version: 'v1', resource: 'validatingwebhookconfigurations' },
  undefined,
  INSTANCE,
);
const SELECTED: SelectedResource[] = [
  {
    group: '',
    version: 'v1',
    resource: 'configmaps',
    operations: ['CREATE', 'UPDATE', 'DELETE'],
    withScale: false,
    namespaced: true,
  },
  { group: 'apps', version: 'v1', resource: 'deployments', operations: ['UPDATE'], withScale: true, namespaced: true },
  { group: '', version: 'v1', resource: 'namespaces', operations: ['CREATE'], withScale: false, namespaced: false },
];

let cluster: TestCluster;
let api: KubeApi;
let namespace: string;
let webhook: FakeWebhook;
let registrar: WebhookRegistrar;

beforeAll(async () => {
  cluster = await startTestCluster();
  api = new KubeApi(loadKubeConfig(cluster.kubeconfigFor('admin')));
  namespace = await cluster.createNamespace();
  webhook = await FakeWebhook.start();
  await cluster.admin.create({
    apiVersion: 'configbutler.ai/v1alpha1',
    kind: 'WatchRule',
    metadata: { namespace, name: 'rule' },
    spec: { gitRepoConfigRef: 'audit', resources: [{ apiVersion: 'v1', kind: 'ConfigMap' }] },
  });
}, 120_000);

afterAll(async () => {
  api.close();
  await webhook.stop();
  await cluster.stop();
});

beforeEach(() => {
  const kubeConfig = loadKubeConfig(cluster.kubeconfigFor('admin'));
  registrar = new WebhookRegistrar(api, { kubeConfig, podNamespace: namespace, instanceName: INSTANCE });
});

afterEach(() => registrar.remove());

function desired(selected = SELECTED): WebhookConfiguration {
  return buildWebhookConfiguration({
    instanceName: INSTANCE,
    selected,
    client: { url: webhook.url },
    caBundle: webhook.caBundle,
    podNamespace: 'own-namespace',
  });
}

function apply(configuration: WebhookConfiguration, by = registrar): Promise<boolean> {
  return by.apply(configuration, () => Promise.resolve(configuration));
}

describe('WebhookRegistrar', () => {
  it('does not write what a replica that lags behind desires over what another one has written from newer rules', async () => {
    await apply(desired());
    const before = webhooksOf(await api.get(CONFIGURATION));
    const lagging = async (): Promise<boolean> => registrar.apply(desired([]), () => Promise.resolve(desired()));
    expect(await lagging()).toBe(false);
    expect(webhooksOf(await api.get(CONFIGURATION))).toBe(before);
  });

  it('writes a configuration once: what the API server stores is what was asked for', async () => {
    expect(await apply(desired())).toBe(true);
    expect(await apply(desired())).toBe(false);
    expect(await apply(desired(SELECTED.slice(1)))).toBe(true);
    expect(await apply(desired([]))).toBe(true);
    expect(await apply(desired([]))).toBe(false);
  });

  it('confirms a configuration once the API server calls the webhook by it, and not before', async () => {
    const configuration = desired();
    const ref = { ...RULE, namespace, name: 'rule' };

    expect(await registrar.confirm(configuration.digest, ref, { attempts: 1 })).toBe(false);
    await apply(configuration);

    expect(await registrar.confirm(configuration.digest, ref)).toBe(true);
    expect(await registrar.confirm('another', ref, { attempts: 1 })).toBe(false);
    expect(webhook.paths).toContain(`/v1/probe/${configuration.digest}`);
  });

  it('has the API server call for what is selected', async () => {
    const configuration = desired();
    await apply(configuration);
    await registrar.confirm(configuration.digest, { ...RULE, namespace, name: 'rule' });

    await cluster.admin.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'seen' } });

    expect(webhook.paths).toContain(`/v1/admission/${configuration.digest}`);
  });

  it('heals what others change, and a deletion', async () => {
    await apply(desired());
    const before = await api.get(CONFIGURATION);

    await api.patch(CONFIGURATION, { webhooks: [] });
    await waitFor('the webhooks', async () => webhooksOf(await api.get(CONFIGURATION)) === webhooksOf(before));
    await api.delete(CONFIGURATION);
    await waitFor('the configuration', async () => webhooksOf(await api.get(CONFIGURATION)) === webhooksOf(before));
  });

  it('removes the configuration and the Secrets of its instance, and nothing else', async () => {
    await apply(desired());
    const secret = (name: string, labels: Record<string, string>): Promise<unknown> =>
      cluster.admin.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, labels } });
    await secret('own', { 'configbutler.ai/instance': INSTANCE });
    await secret('credentials', {});

    await registrar.remove();

    const secrets = await api.list(`/api/v1/namespaces/${namespace}/secrets`);
    expect(secrets.items.map((item) => item.metadata.name)).toEqual(['credentials']);
    await expect(api.get(CONFIGURATION)).rejects.toMatchObject({ code: 'NotFound' });
  });
});

function webhooksOf(configuration: KubeObject): string {
  return JSON.stringify(configuration['webhooks']);
}

/** Allows everything, and answers a probe as the operator does. */
class FakeWebhook {
  readonly paths: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly caBundle: string,
  ) {}

  static async start(): Promise<FakeWebhook> {
    const now = Date.now();
    const ca = await issueCa({ now, commonName: 'test' });
    const { cert, key } = await issueServingCert({ ca, names: ['127.0.0.1'], now });
    const server = createServer({ cert, key });
    const webhook = new FakeWebhook(server, ca.cert);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = request.url?.split('?')[0] ?? '';
        webhook.paths.push(path);
        const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { request: { uid: string } };
        const probe = /^\/v1\/probe\/(.+)$/.exec(path)?.[1];
        const warnings = probe === undefined ? undefined : [`gitops-reverser-probe:${probe}`];
        const answer = { uid: review.request.uid, allowed: true, warnings };
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return webhook;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
