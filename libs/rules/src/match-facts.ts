import type { Operation, OwnerReference } from '#domain';

/** What matching looks at: one change of one object. For DELETE, labels and the like are those of the deleted state. */
export interface MatchFacts {
  operation: Operation;
  type: { group: string; version: string; kind: string; resource: string };
  /** Absent for cluster-scoped objects. For a Namespace it makes no difference. */
  namespace?: string;
  name: string;
  /** The labels of the object's namespace; `'unknown'` (or absent) where they could not be read yet. */
  namespaceLabels?: Readonly<Record<string, string>> | 'unknown';
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  /** The owner reference with `controller: true`, where there is one. */
  controllerOwner?: OwnerReference;
  /** `''` for observed changes, which have no user: no filter of users or of field managers applies. */
  user: string;
  /** The request's field manager; `''` where it is not known. */
  fieldManager: string;
  /** A Secret's `type`. */
  secretType?: string;
  /** The object had a deletionTimestamp before this change. */
  dying?: boolean;
}

/** A Namespace is matched as if it lay in itself: by its own name and labels, as admission's namespaceSelector does. */
export function isNamespace(facts: MatchFacts): boolean {
  return facts.type.group === '' && facts.type.kind === 'Namespace';
}

/** The namespace that rules about namespaces look at; absent for cluster-scoped objects other than Namespaces. */
export function namespaceOf(facts: MatchFacts): string | undefined {
  return isNamespace(facts) ? facts.name : facts.namespace;
}
