import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject, ManagedFieldsEntry } from '#domain';
import { renderManifest } from './render-manifest.ts';
import { sanitizeManifest } from './sanitize-manifest.ts';

const digestKey = new Uint8Array(32).fill(7);
const sanitize = (object: KubeObject): KubeObject => sanitizeManifest(object, { digestKey }).object;
const entry = (manager: string, fieldsV1: Record<string, unknown>, subresource?: string): ManagedFieldsEntry => ({
  ...{ manager, operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 },
  ...(subresource === undefined ? {} : { subresource }),
});
const object = (
  apiVersion: string,
  kind: string,
  rest: Record<string, unknown>,
  managedFields?: ManagedFieldsEntry[],
) => ({
  apiVersion,
  kind,
  metadata: { name: 'x', ...(managedFields && { managedFields }) },
  ...rest,
});
const service = (spec: Record<string, unknown>, claimed: Record<string, unknown>): KubeObject =>
  object('v1', 'Service', { spec }, [entry('kubectl-create', { 'f:spec': { 'f:type': {}, ...claimed } })]);

interface Case {
  description: string;
  resource: KubeObject;
  path: string[];
  /** What stands at the path afterwards; `undefined` where it was dropped. */
  expected: unknown;
}
const at = (value: unknown, path: string[]): unknown =>
  path.reduce<unknown>((found, key) => (found as Record<string, unknown> | undefined)?.[key], value);

const ALLOCATED = {
  clusterIP: '10.0.0.9',
  clusterIPs: ['10.0.0.9'],
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
};
const PORT = { port: 80, protocol: 'TCP', nodePort: 30080 };
const scaleBy = (manager: string): KubeObject =>
  object('apps/v1', 'Deployment', { spec: { replicas: 5, paused: true } }, [
    entry('kubectl', { 'f:spec': { 'f:paused': {} } }),
    entry(manager, { 'f:spec': { 'f:replicas': {} } }, 'scale'),
  ]);
const pvc = (manager: string, annotations: Record<string, string> = {}): KubeObject => {
  const claim = object('v1', 'PersistentVolumeClaim', { spec: { volumeName: 'disk', volumeMode: 'Block' } }, [
    entry(manager, { 'f:spec': { 'f:volumeName': {} } }),
  ]);
  return { ...claim, metadata: { ...claim.metadata, annotations } };
};
const BOUND = { 'pv.kubernetes.io/bound-by-controller': 'yes', 'pv.kubernetes.io/bind-completed': 'yes' };
const job = (spec: Record<string, unknown>): KubeObject =>
  object('batch/v1', 'Job', {
    spec: {
      selector: { matchLabels: { 'controller-uid': 'u' } },
      template: { metadata: { labels: { 'controller-uid': 'u' } }, spec: {} },
      ...spec,
    },
  });

const CASES: Case[] = [
  { description: 'an allocated clusterIP', resource: service(ALLOCATED, {}), path: ['spec'], expected: {} },
  {
    description: 'a clusterIP that a person chose',
    resource: service(ALLOCATED, { 'f:clusterIP': {} }),
    path: ['spec'],
    expected: { clusterIP: '10.0.0.9' },
  },
  {
    description: 'a headless Service',
    resource: service({ clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] }, {}),
    path: ['spec'],
    expected: { clusterIP: 'None', clusterIPs: ['None'] },
  },
  {
    description: 'an allocated nodePort beside a chosen one',
    resource: service(
      { ports: [PORT, { ...PORT, port: 81, nodePort: 30081 }] },
      {
        'f:ports': {
          'k:{"port":80,"protocol":"TCP"}': { 'f:nodePort': {} },
          'k:{"port":81,"protocol":"TCP"}': { '.': {} },
        },
      },
    ),
    path: ['spec', 'ports'],
    expected: [PORT, { port: 81, protocol: 'TCP' }],
  },
  {
    description: 'allocations of an object whose managedFields were cleared',
    resource: object('v1', 'Service', { spec: ALLOCATED }, []),
    path: ['spec'],
    expected: ALLOCATED,
  },
  {
    description: "a custom kind's clusterIP",
    resource: object('serving.example.dev/v1', 'Service', { spec: ALLOCATED }, [
      entry('kubectl', { 'f:metadata': {} }),
    ]),
    path: ['spec'],
    expected: ALLOCATED,
  },
  ...['kube-controller-manager', 'keda-operator'].map((manager) => ({
    description: `replicas under ${manager}`,
    resource: scaleBy(manager),
    path: ['spec'],
    expected: { paused: true },
  })),
  { description: 'replicas from kubectl scale', resource: scaleBy('kubectl'), path: ['spec', 'replicas'], expected: 5 },
  {
    description: 'a volume bound by the controller',
    resource: pvc('kube-controller-manager', BOUND),
    path: ['spec'],
    expected: { volumeMode: 'Block' },
  },
  {
    description: "the binding's annotations",
    resource: pvc('kubectl', BOUND),
    path: ['metadata', 'annotations'],
    expected: undefined,
  },
  {
    description: 'a volume that a person chose',
    resource: pvc('kubectl'),
    path: ['spec', 'volumeName'],
    expected: 'disk',
  },
  {
    description: "a pre-bound volume's claim, without its identity",
    resource: object('v1', 'PersistentVolume', {
      spec: { claimRef: { namespace: 'a', name: 'b', uid: 'u', resourceVersion: '3' } },
    }),
    path: ['spec', 'claimRef'],
    expected: { namespace: 'a', name: 'b' },
  },
  {
    description: "a Job's generated selector and labels",
    resource: job({}),
    path: ['spec'],
    expected: { template: { spec: {} } },
  },
  {
    description: "a Job's own selector",
    resource: job({ manualSelector: true }),
    path: ['spec', 'selector'],
    expected: { matchLabels: { 'controller-uid': 'u' } },
  },
  {
    description: 'the rules of an aggregated ClusterRole',
    resource: object('rbac.authorization.k8s.io/v1', 'ClusterRole', {
      aggregationRule: {},
      rules: [{ verbs: ['get'] }],
    }),
    path: ['rules'],
    expected: undefined,
  },
  {
    description: 'the rules of a plain ClusterRole',
    resource: object('rbac.authorization.k8s.io/v1', 'ClusterRole', { rules: [{ verbs: ['get'] }] }),
    path: ['rules'],
    expected: [{ verbs: ['get'] }],
  },
  {
    description: 'token references of a ServiceAccount, but not pull secrets',
    resource: object(
      'v1',
      'ServiceAccount',
      { secrets: [{ name: 'x-token' }, { name: 'own' }], imagePullSecrets: [{ name: 'pull' }] },
      [
        entry('kubectl', { 'f:secrets': { '.': {}, 'k:{"name":"own"}': {} }, 'f:imagePullSecrets': {} }),
        entry('kube-controller-manager', { 'f:secrets': { 'k:{"name":"x-token"}': {} } }),
      ],
    ),
    path: ['secrets'],
    expected: [{ name: 'own' }],
  },
  {
    description: "a built-in kind's status",
    resource: object('v1', 'Pod', { status: {} }),
    path: ['status'],
    expected: undefined,
  },
  {
    description: "a custom kind's status",
    resource: object('a.example.com/v1', 'Thing', { spec: { status: 'on' }, status: { ready: true } }),
    path: ['status'],
    expected: undefined,
  },
  {
    description: 'a field named status inside a custom spec',
    resource: object('a.example.com/v1', 'Thing', { spec: { status: 'on' }, status: {} }),
    path: ['spec', 'status'],
    expected: 'on',
  },
  {
    description: 'a person\'s "status" in a custom kind without spec',
    resource: object('a.example.com/v1', 'Order', { status: 'paid' }, [entry('kubectl', { 'f:status': {} })]),
    path: ['status'],
    expected: 'paid',
  },
  {
    description: "a controller's status in a custom kind without spec",
    resource: object('a.example.com/v1', 'Order', { status: { ok: true } }, [
      entry('kubectl', { 'f:data': {} }),
      entry('operator', { 'f:status': {} }, 'status'),
    ]),
    path: ['status'],
    expected: undefined,
  },
  {
    description: 'an injected certificate',
    resource: object(
      'admissionregistration.k8s.io/v1',
      'ValidatingWebhookConfiguration',
      { webhooks: [{ name: 'a', clientConfig: { caBundle: 'Q0E=', url: 'https://a' } }] },
      [
        entry('cert-manager-cainjector', {
          'f:webhooks': { 'k:{"name":"a"}': { 'f:clientConfig': { 'f:caBundle': {} } } },
        }),
      ],
    ),
    path: ['webhooks'],
    expected: [{ name: 'a', clientConfig: { url: 'https://a' } }],
  },
  {
    description: 'the service-account volume of a Pod',
    resource: object('v1', 'Pod', {
      spec: {
        containers: [
          {
            name: 'a',
            volumeMounts: [{ name: 'kube-api-access-x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
          },
        ],
        volumes: [{ name: 'kube-api-access-x', projected: {} }, { name: 'own' }],
        tolerations: [
          { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
          { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
        ],
      },
    }),
    path: ['spec'],
    expected: {
      containers: [{ name: 'a' }],
      volumes: [{ name: 'own' }],
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
      ],
    },
  },
];

describe('sanitizeManifest', () => {
  it.each(CASES)('given $description, leaves $expected', ({ resource, path, expected }) => {
    expect(at(sanitize(resource), path)).toEqual(expected);
  });

  it('drops the identity and history of every kind, and keeps finalizers, labels and annotations of people', () => {
    const kept = { labels: { a: 'b' }, annotations: { 'example.com/a': 'b' }, finalizers: ['example.com/own'] };
    const live: KubeObject = {
      apiVersion: 'a.example.com/v1',
      kind: 'Thing',
      metadata: {
        ...{
          name: 'x',
          generateName: 'x-',
          namespace: 'n',
          uid: 'u',
          resourceVersion: '1',
          generation: 2,
          selfLink: '/x',
        },
        ...{ creationTimestamp: 't', deletionTimestamp: 't', deletionGracePeriodSeconds: 1, managedFields: [] },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }],
        labels: kept.labels,
        annotations: {
          ...kept.annotations,
          'kubectl.kubernetes.io/last-applied-configuration': '{}',
          'deployment.kubernetes.io/revision': '3',
        },
        finalizers: ['foregroundDeletion', 'kubernetes.io/pvc-protection', ...kept.finalizers],
      },
    };
    expect(sanitize(live).metadata).toEqual({ name: 'x', namespace: 'n', ...kept });
  });

  it('drops what the server adds to a Namespace', () => {
    const live: KubeObject = {
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: { name: 'x', labels: { 'kubernetes.io/metadata.name': 'x' } },
      ...{ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } },
    };
    expect(sanitize(live)).toEqual({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } });
  });

  it('keeps what came empty', () => {
    const live = object('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, policyTypes: [] } });
    expect(sanitize(live)).toEqual(live);
  });

  it('keeps every field of a kind that it does not know, whatever its name', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('__proto__', 'constructor', 'uid', 'status', 'managedFields', 'replicas'),
    );
    fc.assert(
      fc.property(fc.dictionary(word, fc.jsonValue()), (spec) => {
        const live = object('a.example.com/v1', 'Thing', { spec });
        expect(JSON.stringify(sanitize(live)['spec'])).toBe(JSON.stringify(spec));
      }),
    );
  });

  it('says so when an object is nested too deep, or deep and wide at once', () => {
    const nested = (depth: number, leaf: unknown): unknown =>
      Array.from({ length: depth }).reduce((value) => ({ a: value }), leaf);
    const render = (spec: unknown) => renderManifest(sanitizeManifest(object('a.b/v1', 'K', { spec }), { digestKey }));
    expect(render(nested(400, 'x'))).toContain('a: x');
    expect(() => render(nested(9000, 'x'))).toThrow(expect.objectContaining({ code: 'too-deep', retryable: false }));
    const wide = nested(
      400,
      Array.from({ length: 100_000 }, () => 0),
    );
    expect(() => render(wide)).toThrow(expect.objectContaining({ code: 'too-large', retryable: false }));
  });

  it('is idempotent, changes nothing that it was given, and ignores the order of keys', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CASES.map(({ resource }) => resource)), fc.jsonValue(), (resource, extra) => {
        const live = { ...resource, extra };
        const before = structuredClone(live);
        const once = sanitize(live);
        expect(live).toEqual(before);
        expect(sanitize(once)).toEqual(once);
        const reversed = Object.fromEntries(Object.entries(live).reverse()) as KubeObject;
        const render = (given: KubeObject): string => renderManifest(sanitizeManifest(given, { digestKey }));
        expect(render(reversed)).toBe(render(live));
      }),
    );
  });
});
