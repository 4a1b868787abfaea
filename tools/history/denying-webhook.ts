import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { issueCa, issueServingCert } from '#k8s';
import type { KubeUser, ObjectName } from '../kube/kube-user.ts';
import { KINDS } from './kinds.ts';

export interface DenyingWebhook {
  /** How many calls it denied. */
  readonly denied: number;
  stop(): Promise<void>;
}

interface Question {
  uid: string;
  dryRun?: boolean;
}

/** Somebody else's validating webhook, which denies some writes of the run's objects: the operator was asked about them too. */
export async function startDenyingWebhook(
  admin: KubeUser,
  run: string,
  namespaces: string[],
  denies: () => boolean,
): Promise<DenyingWebhook> {
  let denied = 0;
  const ca = await issueCa({ now: Date.now(), commonName: 'denying webhook' });
  const { cert, key } = await issueServingCert({ ca, names: ['127.0.0.1'], now: Date.now() });
  const server = createServer({ cert, key, keepAliveTimeout: 120_000 }, (request, response) => {
    void text(request).then((body) => {
      const { request: question } = JSON.parse(body) as { request: Question };
      const allowed = question.dryRun === true || !denies();
      if (!allowed) denied += 1;
      const answer = { uid: question.uid, allowed, ...(!allowed && { status: { message: 'not today' } }) };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const registration = registrationOf(run, namespaces, portOf(server), ca.cert);
  await admin.create(registration);
  return {
    get denied() {
      return denied;
    },
    stop: async () => {
      await admin.delete(registration);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function registrationOf(run: string, namespaces: string[], port: number, caPem: string): ObjectName {
  const types = KINDS.filter(({ namespaced }) => namespaced);
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: `denying-${run}` },
    webhooks: [
      {
        name: 'denying.history.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 30,
        clientConfig: { url: `https://127.0.0.1:${port}`, caBundle: Buffer.from(caPem).toString('base64') },
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces }],
        },
        rules: [
          {
            apiGroups: [...new Set(types.map(({ group }) => group))],
            apiVersions: [...new Set(types.map(({ version }) => version))],
            resources: types.flatMap(({ resource, scalable }) => [
              resource,
              ...(scalable ? [`${resource}/scale`] : []),
            ]),
            operations: ['CREATE', 'UPDATE', 'DELETE'],
          },
        ],
      },
    ],
  };
}
