import type { KubeObject, ManagedFieldsEntry } from '#domain';
import type { Location } from './field-path.ts';
import { isJsonObject } from './json-value.ts';

/** What managedFields say about who wrote a field. */
export interface FieldOwners {
  /** False where managedFields are absent or were cleared: then nobody can say who wrote what. */
  known: boolean;
  /** A person, or a tool that acts for one, claims the field or something beneath it. */
  byPerson(location: Location): boolean;
  /** A manager of the control plane claims it. */
  byControlPlane(location: Location): boolean;
  /** A manager of the control plane, or another autoscaler, claims it through the `scale` subresource. */
  byScaler(location: Location): boolean;
}

/**
 * Field managers of the control plane: a manager is the user agent's first word. A field that only these claim was written by
 * a server. Any other manager (kubectl, helm, a GitOps tool, an operator) counts as a person: keeping too much is harmless.
 */
const CONTROL_PLANE: ReadonlySet<string> = new Set([
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'cloud-controller-manager',
  'horizontal-pod-autoscaler',
  'cluster-autoscaler',
  'cainjector', // cert-manager's CA injector: webhooks, CRDs, APIServices
  'cert-manager-cainjector',
  'k3s', // the control plane in one process
  'k0s',
  'openshift-controller-manager',
]);

/** Managers that scale on their own behalf through `scale`. */
const SCALERS: ReadonlySet<string> = new Set([...CONTROL_PLANE, 'keda', 'keda-operator', 'rollouts-controller']);

/** Reads an object's managedFields. Entries of `status` never speak for a person: only servers write through it. */
export function readOwners(object: KubeObject): FieldOwners {
  const fields = object.metadata.managedFields;
  const entries = (Array.isArray(fields) ? fields : []).filter(
    (entry) => isJsonObject(entry) && isJsonObject(entry.fieldsV1) && Object.keys(entry.fieldsV1).length > 0,
  );
  const claimed = (location: Location, who: (entry: ManagedFieldsEntry) => boolean): boolean =>
    entries.some((entry) => who(entry) && claims(entry.fieldsV1, location));
  return {
    known: entries.length > 0,
    byPerson: (location) => claimed(location, isPerson),
    byControlPlane: (location) => claimed(location, (entry) => !isPerson(entry)),
    byScaler: (location) => claimed(location, isScaler),
  };
}

function isPerson(entry: ManagedFieldsEntry): boolean {
  return entry.subresource !== 'status' && !CONTROL_PLANE.has(entry.manager ?? '') && !isScaler(entry);
}

function isScaler(entry: ManagedFieldsEntry): boolean {
  return entry.subresource === 'scale' && SCALERS.has(entry.manager ?? '');
}

/** fieldsV1: `f:` names a field, `k:` an item by its keys, `v:` an item by its value; `{}` is a claim on all that is beneath. */
function claims(fields: unknown, location: Location): boolean {
  const [step, ...rest] = location;
  if (step === undefined) return true;
  if (!isJsonObject(fields)) return false;
  if (Object.keys(fields).length === 0) return true;
  if (typeof step === 'string') return Object.hasOwn(fields, `f:${step}`) && claims(fields[`f:${step}`], rest);
  return Object.entries(fields).some(([name, beneath]) => namesItem(name, step.item) && claims(beneath, rest));
}

function namesItem(name: string, item: unknown): boolean {
  const named = parseJson(name.slice(2));
  if (name.startsWith('v:')) return named === item;
  if (!name.startsWith('k:') || !isJsonObject(named) || !isJsonObject(item)) return false;
  return Object.entries(named).every(([key, value]) => item[key] === value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not a name that the API server writes: it names nothing
  }
}
