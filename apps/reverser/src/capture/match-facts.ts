import type { KubeObject, ManagedFieldsEntry, ObjectRef, Operation } from '#domain';
import type { MatchFacts } from '#rules';

/** Who writes, as far as rules ask for it; absent for observed changes. */
export interface Writer {
  user: string;
  fieldManager: string;
}

/** What rules look at, read from one state of an object. */
export function matchFacts(
  operation: Operation,
  ref: ObjectRef,
  state: KubeObject,
  writer: Writer | undefined,
  namespaceLabels: MatchFacts['namespaceLabels'],
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
    fieldManager: writer === undefined ? '' : writer.fieldManager || newestManager(metadata.managedFields),
    ...(typeof secretType === 'string' && { secretType }),
  };
}

/** The manager of the newest write, by managedFields; `''` where there is none. Status writes are not looked at. */
export function newestManager(entries: ManagedFieldsEntry[] | undefined): string {
  let newest: ManagedFieldsEntry | undefined;
  for (const entry of entries ?? []) {
    if (entry.subresource === undefined && (newest === undefined || (entry.time ?? '') > (newest.time ?? '')))
      newest = entry;
  }
  return newest?.manager ?? '';
}
