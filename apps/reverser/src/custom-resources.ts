import type { KubeObject, ObjectRef } from '#domain';
import type { PathType } from '#k8s';

export const GIT_REPO_CONFIGS = { group: 'configbutler.ai', version: 'v1alpha1', resource: 'gitrepoconfigs' } as const;
export const WATCH_RULES = { group: 'configbutler.ai', version: 'v1alpha1', resource: 'watchrules' } as const;

/** Where an object's status is written, for this very object and not for its successor. */
export function statusRef(type: PathType, { metadata }: KubeObject): Omit<ObjectRef, 'kind'> {
  const { name = '', namespace = '', uid = '' } = metadata;
  return { ...type, namespace, name, uid };
}
