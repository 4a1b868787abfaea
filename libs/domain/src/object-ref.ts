/** A resource type as discovery names it. `group` is `''` for the core group; `resource` is the lower-case plural. */
export interface ResourceType {
  group: string;
  version: string;
  kind: string;
  resource: string;
  namespaced: boolean;
}

/** One object, by type, name and uid. `namespace` is absent for cluster-scoped objects. Identity is the uid; it has no version. */
export interface ObjectRef {
  group: string;
  version: string;
  kind: string;
  resource: string;
  namespace?: string;
  name: string;
  uid: string;
}

/** `v1`, `apps/v1`: the form that manifests use. */
export function apiVersionOf(type: { group: string; version: string }): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** The inverse of {@link apiVersionOf}. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}
