import type { KubeObject, ObjectRef, Operation } from '#domain';
import type { AdmissionRequest } from '../webhook/admission-review.ts';

/** What an admission call is about. */
export type ClassifiedRequest =
  | { kind: 'skip'; reason: 'dry-run' | 'connect' | 'subresource' | 'no-identity' }
  /** A write of the object itself. */
  | {
      kind: 'write';
      operation: Operation;
      ref: ObjectRef;
      object: KubeObject | undefined;
      oldObject: KubeObject | undefined;
    }
  /** A write of `replicas` through the scale subresource: the body is a Scale, not the object. */
  | {
      kind: 'scale';
      group: string;
      resource: string;
      namespace: string;
      name: string;
      uid: string;
      version: string;
      replicas: number;
    };

/**
 * Names and uids are taken from the objects: `request.name` is missing for deletecollection, and for CREATE with
 * generateName some versions leave it empty.
 */
export function classifyRequest(request: AdmissionRequest): ClassifiedRequest {
  if (request.dryRun) return { kind: 'skip', reason: 'dry-run' };
  if (request.operation === 'CONNECT') return { kind: 'skip', reason: 'connect' };
  if (request.subResource === 'scale') return classifyScale(request);
  if (request.subResource !== '') return { kind: 'skip', reason: 'subresource' };
  const { operation, object, oldObject } = request;
  const metadata = (oldObject ?? object)?.metadata;
  const name = metadata?.name ?? request.name;
  const uid = metadata?.uid;
  if (metadata === undefined || name === '' || uid === undefined || uid === '')
    return { kind: 'skip', reason: 'no-identity' };
  const ref: ObjectRef = {
    group: request.kind.group,
    version: request.kind.version,
    kind: request.kind.kind,
    resource: request.resource.resource,
    ...(metadata.namespace !== undefined && metadata.namespace !== '' && { namespace: metadata.namespace }),
    name,
    uid,
  };
  return { kind: 'write', operation, ref, object, oldObject };
}

function classifyScale(request: AdmissionRequest): ClassifiedRequest {
  const metadata = request.oldObject?.metadata;
  const spec = request.object?.['spec'] as { replicas?: unknown } | undefined;
  const replicas = spec?.replicas ?? 0; // zero is left out of the JSON
  const name = metadata?.name ?? request.name;
  if (
    metadata?.uid === undefined ||
    metadata.resourceVersion === undefined ||
    typeof replicas !== 'number' ||
    name === ''
  ) {
    return { kind: 'skip', reason: 'no-identity' };
  }
  return {
    kind: 'scale',
    group: request.resource.group,
    resource: request.resource.resource,
    namespace: request.namespace,
    name,
    uid: metadata.uid,
    version: metadata.resourceVersion,
    replicas,
  };
}
