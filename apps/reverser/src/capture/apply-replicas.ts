import type { KubeObject } from '#domain';

/** Where Kubernetes' own workloads keep their replicas. */
export const REPLICAS_PATH: readonly string[] = ['spec', 'replicas'];

interface CrdVersion {
  name?: unknown;
  subresources?: { scale?: { specReplicasPath?: unknown } };
}

/** Where a CustomResourceDefinition keeps the replicas of a version (`specReplicasPath`, dots only); the usual place where it doesn't say. */
export function replicasPathOf(definition: KubeObject, version: string): readonly string[] {
  const { versions } = (definition['spec'] ?? {}) as { versions?: CrdVersion[] };
  const path = versions?.find(({ name }) => name === version)?.subresources?.scale?.specReplicasPath;
  const fields = typeof path === 'string' ? path.split('.').filter((field) => field !== '') : [];
  return fields.length > 0 ? fields : REPLICAS_PATH;
}

/**
 * The object with another number of replicas, which `manager` owns as if it had written through `scale`: the sanitizer
 * leaves the number out while an autoscaler owns it. The given object stays as it is.
 */
export function applyReplicas(
  object: KubeObject,
  path: readonly string[],
  replicas: number,
  manager: string,
): KubeObject {
  const scaled = setField(object, path, replicas) as KubeObject;
  const { managedFields } = object.metadata;
  if (managedFields === undefined) return scaled;
  const others = managedFields.map((entry) => ({
    ...entry,
    fieldsV1: (withoutClaim(entry.fieldsV1, path) ?? {}) as Record<string, unknown>,
  }));
  const claim = path.reduceRight<Record<string, unknown>>((beneath, field) => ({ [`f:${field}`]: beneath }), {});
  const owner = { manager, operation: 'Update', subresource: 'scale', fieldsV1: claim };
  return { ...scaled, metadata: { ...scaled.metadata, managedFields: [...others, owner] } };
}

/** fieldsV1 without the claim at a path; nothing where nothing is left. */
function withoutClaim(fields: unknown, [field, ...rest]: readonly string[]): unknown {
  if (field === undefined) return undefined;
  if (!isObject(fields)) return fields;
  const name = `f:${field}`;
  if (!Object.hasOwn(fields, name)) return fields;
  const { [name]: beneath, ...others } = fields;
  const left = withoutClaim(beneath, rest);
  const result = left === undefined ? others : { ...others, [name]: left };
  return Object.keys(result).length === 0 ? undefined : result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The number of replicas that the object asks for. */
export function readReplicas(object: KubeObject, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, field) => (isObject(value) ? value[field] : undefined), object);
}

function setField(value: unknown, [field, ...rest]: readonly string[], replicas: number): unknown {
  if (field === undefined) return replicas;
  const fields = isObject(value) ? value : {};
  return { ...fields, [field]: setField(fields[field], rest, replicas) };
}
