import type { KubeObject, ManagedFieldsEntry, ObjectRef, Operation } from '#domain';
import type { MatchFacts } from '#rules';
import { isDeepStrictEqual } from 'node:util';

/** Who writes, as far as rules ask for it; absent for observed changes. */
export interface Writer {
  user: string;
  fieldManager: string;
}

/**
 * What rules look at, read from one state of an object. `before` is the state that the write started from: it helps to
 * tell which manager wrote where the client named none.
 */
export function matchFacts(
  operation: Operation,
  ref: ObjectRef,
  state: KubeObject,
  writer: Writer | undefined,
  namespaceLabels: MatchFacts['namespaceLabels'],
  before?: KubeObject,
): MatchFacts {
  const { metadata } = state;
  const controllerOwner = metadata.ownerReferences?.find((owner) => owner.controller === true);
  const secretType = ref.group === '' && ref.kind === 'Secret' ? state['type'] : undefined;
  return {
    operation,
    type: { group: ref.group, version: ref.version, kind: ref.kind, resource: ref.resource },
    ...(ref.namespace !== undefined && { namespace: ref.namespace }),
    name: ref.name,
    ...(namespaceLabels !== undefined && { namespaceLabels }),
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    ...(controllerOwner !== undefined && { controllerOwner }),
    user: writer?.user ?? '',
    fieldManager: managerOf(operation, metadata.managedFields, writer, before?.metadata.managedFields),
    ...(typeof secretType === 'string' && { secretType }),
  };
}

/** A deletion has no field manager: who wrote the object last says nothing about who deletes it. */
function managerOf(
  operation: Operation,
  entries: ManagedFieldsEntry[] | undefined,
  writer: Writer | undefined,
  before: ManagedFieldsEntry[] | undefined,
): string {
  if (writer === undefined || operation === 'DELETE') return '';
  return writer.fieldManager || newestManager(entries, before);
}

/**
 * The manager of the newest write, by managedFields; `''` where there is none. Status writes are not looked at. Times are
 * whole seconds: among managers of the same second the one whose entry is not as it was in `before` wrote.
 */
export function newestManager(entries: ManagedFieldsEntry[] | undefined, before: ManagedFieldsEntry[] = []): string {
  let newest: ManagedFieldsEntry | undefined;
  for (const entry of entries ?? []) {
    if (entry.subresource !== undefined) continue;
    if (newest === undefined || isNewer(entry, newest, before)) newest = entry;
  }
  return newest?.manager ?? '';
}

function isNewer(entry: ManagedFieldsEntry, other: ManagedFieldsEntry, before: ManagedFieldsEntry[]): boolean {
  const [time = '', otherTime = ''] = [entry.time, other.time];
  if (time !== otherTime) return time > otherTime;
  const wasThere = (each: ManagedFieldsEntry): boolean => before.some((known) => isDeepStrictEqual(known, each));
  return wasThere(other) && !wasThere(entry);
}
