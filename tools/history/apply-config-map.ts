import { KINDS } from './kinds.ts';
import { MARKER, RUN_LABEL } from './workload.ts';
import type { Write } from './write-client.ts';

/** A user's `kubectl apply` of one ConfigMap, with the write's id as its marker. */
export function applyConfigMap(
  { run, namespace }: { run: string; namespace: string },
  { id, user, name, value }: { id: number; user: string; name: string; value: string },
): Write {
  const metadata = { name, labels: { [RUN_LABEL]: run }, annotations: { [MARKER]: String(id) } };
  return {
    ...{ user, verb: 'apply', method: 'PATCH', query: { force: 'true' } },
    target: { kind: KINDS[0], namespace, name },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } },
  };
}
