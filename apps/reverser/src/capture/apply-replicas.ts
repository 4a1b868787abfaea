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

/** The object with another number of replicas; the given one stays as it is. */
export function applyReplicas(object: KubeObject, path: readonly string[], replicas: number): KubeObject {
  return setField(object, path, replicas) as KubeObject;
}

function setField(value: unknown, [field, ...rest]: readonly string[], replicas: number): unknown {
  if (field === undefined) return replicas;
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  return { ...fields, [field]: setField(fields[field], rest, replicas) };
}
