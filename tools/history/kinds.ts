import type { ResourceType } from '#domain';
import type { ObjectName } from '../kube/kube-user.ts';
import type { Random } from './random.ts';

/** What the harness writes: the type as the rules name it, and what a manifest of it holds. */
export interface HistoryKind extends ResourceType {
  /** Another served version to write through. */
  otherVersion?: string;
  /** Its status can be written by itself. */
  hasStatus: boolean;
  scalable: boolean;
  /** Everything but metadata. */
  body: (random: Random) => Record<string, unknown>;
  /** A merge patch of some fields, from few values: two writers may ask for the same. */
  patch: (random: Random) => Record<string, unknown>;
}

const WORDS = ['amber', 'basalt', 'cobalt'] as const;
const key = (random: Random): string => `key-${random.below(3)}`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const container = (random: Random): Record<string, unknown> => ({ name: 'main', image: `app:${random.pick(WORDS)}` });

const CONFIG_MAP: HistoryKind = {
  ...{ group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespaced: true },
  hasStatus: false,
  scalable: false,
  body: (random) => ({ data: { [key(random)]: random.pick(WORDS) } }),
  patch: (random) => ({ data: { [key(random)]: random.chance(0.2) ? null : random.pick(WORDS) } }),
};

const SECRET: HistoryKind = {
  ...{ group: '', version: 'v1', kind: 'Secret', resource: 'secrets', namespaced: true },
  hasStatus: false,
  scalable: false,
  body: (random) => ({ type: 'Opaque', data: { [key(random)]: base64(random.pick(WORDS)) } }),
  patch: (random) => ({ data: { [key(random)]: random.chance(0.2) ? null : base64(random.pick(WORDS)) } }),
};

const DEPLOYMENT: HistoryKind = {
  ...{ group: 'apps', version: 'v1', kind: 'Deployment', resource: 'deployments', namespaced: true },
  hasStatus: true,
  scalable: true,
  body: (random) => ({
    spec: {
      selector: { matchLabels: { app: 'history' } },
      template: { metadata: { labels: { app: 'history' } }, spec: { containers: [container(random)] } },
    },
  }),
  patch: (random) => ({ spec: { minReadySeconds: random.below(3) } }),
};

/** Written in the version without the default as well, which then shows only when the object is read. */
const WIDGET: HistoryKind = {
  ...{ group: 'history.example.com', version: 'v1', kind: 'Widget', resource: 'widgets', namespaced: true },
  otherVersion: 'v1alpha1',
  hasStatus: true,
  scalable: false,
  body: (random) => ({ spec: { colour: random.pick(WORDS), ...(random.chance(0.5) && { tier: 'gold' }) } }),
  patch: (random) => ({ spec: { colour: random.pick(WORDS), tier: random.pick([null, 'gold', 'standard']) } }),
};

const CLUSTER_ROLE: HistoryKind = {
  ...{ group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRole', resource: 'clusterroles' },
  namespaced: false,
  hasStatus: false,
  scalable: false,
  body: (random) => ({ rules: [{ apiGroups: [''], resources: [random.pick(WORDS)], verbs: ['get'] }] }),
  patch: (random) => ({ rules: [{ apiGroups: [''], resources: [random.pick(WORDS)], verbs: ['get', 'list'] }] }),
};

export const KINDS = [CONFIG_MAP, SECRET, DEPLOYMENT, WIDGET, CLUSTER_ROLE] as const;

/** Two served versions that share their fields; only the stored one has a default. */
export const WIDGET_CRD: ObjectName = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.history.example.com' },
  spec: {
    group: WIDGET.group,
    scope: 'Namespaced',
    names: { plural: WIDGET.resource, singular: 'widget', kind: WIDGET.kind, listKind: 'WidgetList' },
    versions: [widgetVersion('v1', true, { type: 'string', default: 'standard' }), widgetVersion('v1alpha1', false)],
  },
};

function widgetVersion(name: string, storage: boolean, tier: object = { type: 'string' }): object {
  const spec = { type: 'object', properties: { colour: { type: 'string' }, tier } };
  const status = { type: 'object', properties: { phase: { type: 'string' } } };
  const openAPIV3Schema = { type: 'object', properties: { spec, status } };
  return { name, served: true, storage, schema: { openAPIV3Schema }, subresources: { status: {} } };
}
