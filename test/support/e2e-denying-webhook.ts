import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { issueCa, issueServingCert } from '#k8s';
import type { TestCluster } from './cluster.ts';
import type { ObjectName } from './kube.ts';
import { waitFor } from './wait-for.ts';

export interface AdmissionQuestion {
  operation: string;
  dryRun?: boolean;
  userInfo: { username: string };
}

/** Somebody else's validating webhook. */
export interface DenyingWebhook {
  readonly calls: AdmissionQuestion[];
  stop(): Promise<void>;
}

/** Denies writes of ConfigMaps in a namespace that `denies` says, when it says so; returns once the API server asks it. */
export async function startDenyingWebhook(
  cluster: TestCluster,
  namespace: string,
  denies: (question: AdmissionQuestion) => boolean | Promise<boolean>,
): Promise<DenyingWebhook> {
  const calls: AdmissionQuestion[] = [];
  const ca = await issueCa({ now: Date.now(), commonName: 'denying webhook' });
  const { cert, key } = await issueServingCert({ ca, names: ['127.0.0.1'], now: Date.now() });
  const server = createServer({ cert, key }, (request, response) => {
    void text(request).then(async (body) => {
      const { request: question } = JSON.parse(body) as { request: AdmissionQuestion & { uid: string } };
      calls.push(question);
      const isProbe = question.dryRun === true;
      const allowed = !isProbe && !(await denies(question));
      const answer = { uid: question.uid, allowed, status: { message: 'not today' } };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
    });
  });
  const port = await listen(server);
  const registration = registrationOf(namespace, `https://127.0.0.1:${port}`, ca.cert);
  await cluster.admin.create(registration);
  const probe = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'webhook-probe', namespace } };
  await waitFor('the API server to ask the denying webhook', async () => {
    const denied = await cluster.admin.create(probe, { dryRun: true }).then(
      () => false,
      (error: Error) => error.message.includes('not today'),
    );
    return denied;
  });
  return {
    calls,
    stop: async () => {
      await cluster.admin.delete(registration);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function registrationOf(namespace: string, url: string, caPem: string): ObjectName {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: `denying-${namespace}` },
    webhooks: [
      {
        name: 'denying.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        clientConfig: { url, caBundle: Buffer.from(caPem).toString('base64') },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            resources: ['configmaps'],
            operations: ['CREATE', 'UPDATE', 'DELETE'],
          },
        ],
      },
    ],
  };
}
