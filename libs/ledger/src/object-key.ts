import { createHash } from 'node:crypto';
import type { ObjectRef } from '#domain';

/** The ledger's key of an object name: 22 characters of [A-Za-z0-9_-], the same for every version and every uid of it. */
export function objectKey(ref: Pick<ObjectRef, 'group' | 'kind' | 'namespace' | 'name'>): string {
  const identity = JSON.stringify([ref.group, ref.kind, ref.namespace ?? '', ref.name]);
  return createHash('sha256').update(identity).digest('base64url').slice(0, 22);
}
