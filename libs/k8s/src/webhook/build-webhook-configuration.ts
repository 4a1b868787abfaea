import { createHash } from 'node:crypto';
import type { KubeObject, Operation } from '#domain';
import { OPERATIONS } from '#domain';
import { INSTANCE_LABEL } from '../certificates/secret-data.ts';

/** One resource that rules select, in one served version. */
export interface SelectedResource {
  group: string;
  version: string;
  resource: string;
  operations: readonly Operation[];
  /** Also `<resource>/scale`, whose only write is UPDATE. */
  withScale: boolean;
  namespaced: boolean;
}

/** How API servers reach the webhook: a base URL (https, without query), or a Service. */
export type WebhookClient = { url: string } | { service: { namespace: string; name: string; port?: number } };

export interface WebhookSettings {
  instanceName: string;
  selected: readonly SelectedResource[];
  client: WebhookClient;
  /** PEM. */
  caBundle: string;
  /** The operator's own namespace: never captured. */
  podNamespace: string;
  /** What else the digest stands for, as text: whoever is called by it can tell whether it knows that. */
  revision?: string;
}

/** A configuration and its digest, which the paths of its webhooks carry. */
export interface WebhookConfiguration {
  configuration: KubeObject;
  digest: string;
}

export const WEBHOOK_CONFIGURATIONS = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  resource: 'validatingwebhookconfigurations',
} as const;
/** The webhook's paths; `/<digest>` follows. */
export const ADMISSION_PATH = '/v1/admission';
export const PROBE_PATH = '/v1/probe';
/** Who asks in a probe; also the start of the warning that answers it: `gitops-reverser-probe:<digest>`. */
export const PROBE_MANAGER = 'gitops-reverser-probe';

/** Seconds that the API server waits for us. Ours is the shorter deadline; this one is for a dead network. */
const TIMEOUT_SECONDS = 2;
/** Leases of every node, every ten seconds. */
const NODE_LEASES = 'kube-node-lease';
const DEFAULT_SERVICE_PORT = 443;

/**
 * The ValidatingWebhookConfiguration that calls us for exactly what is selected: the same input in any order gives the same object, with
 * every default written out, so that it can be compared with what the API server stores. Nothing selected: no webhooks.
 */
export function buildWebhookConfiguration(settings: WebhookSettings): WebhookConfiguration {
  const rules = buildRules(settings.selected);
  const digest = digestOf({
    rules,
    client: settings.client,
    caBundle: settings.caBundle,
    podNamespace: settings.podNamespace,
    revision: settings.revision,
  });
  const configuration: KubeObject = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: {
      name: settings.instanceName,
      // The second one keeps it out of the repositories: it is ours, and changes with every rule.
      labels: { [INSTANCE_LABEL]: settings.instanceName, 'gitops-reverser/ignore': 'true' },
    },
    webhooks: rules.length === 0 ? [] : [captureWebhook(settings, rules, digest), probeWebhook(settings, digest)],
  };
  return { configuration, digest };
}

/** One rule per group, version, scope and set of operations: a rule is the product of its lists, so only these may share one. */
function buildRules(selected: readonly SelectedResource[]): WebhookRule[] {
  const operationsOf = new Map<
    string,
    { type: Omit<SelectedResource, 'operations' | 'withScale'>; operations: Set<Operation> }
  >();
  const add = (type: SelectedResource, resource: string, operations: readonly Operation[]): void => {
    const { group, version, namespaced } = type;
    const key = JSON.stringify([group, version, namespaced, resource]);
    const entry = operationsOf.get(key) ?? { type: { group, version, namespaced, resource }, operations: new Set() };
    for (const operation of operations) entry.operations.add(operation);
    operationsOf.set(key, entry);
  };
  for (const type of selected) {
    add(type, type.resource, type.operations);
    if (type.withScale && type.operations.includes('UPDATE')) add(type, `${type.resource}/scale`, ['UPDATE']);
  }
  const rules = new Map<string, WebhookRule>();
  for (const { type, operations } of operationsOf.values()) {
    const wanted = OPERATIONS.filter((operation) => operations.has(operation));
    if (wanted.length === 0) continue;
    const scope = type.namespaced ? 'Namespaced' : 'Cluster';
    const key = JSON.stringify([type.group, type.version, scope, wanted]);
    const rule = rules.get(key) ?? {
      apiGroups: [type.group],
      apiVersions: [type.version],
      operations: wanted,
      resources: [],
      scope,
    };
    rule.resources.push(type.resource);
    rules.set(key, rule);
  }
  for (const rule of rules.values()) rule.resources.sort();
  return [...rules].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, rule]) => rule);
}

function captureWebhook(settings: WebhookSettings, rules: WebhookRule[], digest: string): Record<string, unknown> {
  return {
    name: `capture.${settings.instanceName}.configbutler.ai`,
    ...common(settings, `${ADMISSION_PATH}/${digest}`),
    rules,
    sideEffects: 'NoneOnDryRun',
    namespaceSelector: {
      matchExpressions: [
        {
          key: 'kubernetes.io/metadata.name',
          operator: 'NotIn',
          values: Array.from(new Set([settings.podNamespace, NODE_LEASES])).sort(),
        },
      ],
    },
  };
}

/** Called for our own dry runs only: its answer proves that the API server uses this configuration. */
function probeWebhook(settings: WebhookSettings, digest: string): Record<string, unknown> {
  return {
    name: `probe.${settings.instanceName}.configbutler.ai`,
    ...common(settings, `${PROBE_PATH}/${digest}`),
    rules: [
      {
        apiGroups: ['configbutler.ai'],
        apiVersions: ['v1alpha1'],
        operations: ['UPDATE'],
        resources: ['gitrepoconfigs', 'watchrules'],
        scope: 'Namespaced',
      },
    ],
    sideEffects: 'None',
    namespaceSelector: {},
    matchConditions: [
      {
        name: 'only-probes',
        expression: `has(request.dryRun) && request.dryRun && has(request.options.fieldManager) && request.options.fieldManager == '${PROBE_MANAGER}'`,
      },
    ],
  };
}

function common(settings: WebhookSettings, path: string): Record<string, unknown> {
  const caBundle = Buffer.from(settings.caBundle).toString('base64');
  const { client } = settings;
  const target =
    'url' in client
      ? { url: client.url.replace(/\/+$/, '') + path }
      : { service: { ...client.service, port: client.service.port ?? DEFAULT_SERVICE_PORT, path } };
  return {
    clientConfig: { ...target, caBundle },
    admissionReviewVersions: ['v1'],
    failurePolicy: 'Ignore',
    matchPolicy: 'Equivalent',
    timeoutSeconds: TIMEOUT_SECONDS,
    objectSelector: {},
  };
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

interface WebhookRule {
  apiGroups: string[];
  apiVersions: string[];
  operations: Operation[];
  resources: string[];
  scope: 'Namespaced' | 'Cluster';
}
