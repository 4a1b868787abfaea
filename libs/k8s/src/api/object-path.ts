import type { ObjectRef } from '#domain';

/** What a path needs to know of a type. */
export interface PathType {
  group: string;
  version: string;
  resource: string;
}

/** `/api/v1/configmaps`, `/apis/apps/v1/namespaces/shop/deployments`: every part is encoded, so that no name can leave its place. */
export function collectionPath(type: PathType, namespace?: string): string {
  const root =
    type.group === '' ? `/api/${encode(type.version)}` : `/apis/${encode(type.group)}/${encode(type.version)}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encode(namespace)}`;
  return `${root}${scope}/${encode(type.resource)}`;
}

/** The path of one object, and of its subresource (`status`, `scale`) where given. */
export function objectPath(type: PathType, namespace: string | undefined, name: string, subresource?: string): string {
  const path = `${collectionPath(type, namespace)}/${encode(name)}`;
  return subresource === undefined ? path : `${path}/${encode(subresource)}`;
}

/** {@link objectPath} of a reference. */
export function refPath(ref: Omit<ObjectRef, 'uid' | 'kind'>, subresource?: string): string {
  return objectPath(ref, ref.namespace, ref.name, subresource);
}

/** encodeURIComponent keeps dots, and a URL parser folds `.` and `..` segments. No object can have these names. */
function encode(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..')
    throw new TypeError(`'${segment}' can't be part of an API path`);
  return encodeURIComponent(segment);
}
