/** Names a GitRepoConfig. */
export interface RepositoryKey {
  namespace: string;
  name: string;
}

/** `namespace/name`, the form of logs, metrics and Redis keys. */
export function repositoryKeyText(key: RepositoryKey): string {
  return `${key.namespace}/${key.name}`;
}

/** Who commits. */
export interface Identity {
  name: string;
  email: string;
}

/** Where and how changes are written: a GitRepoConfig's spec with its defaults applied. */
export interface RepositoryTarget {
  key: RepositoryKey;
  /** As in the spec: ssh://, scp-like, https://, http:// or file://. */
  url: string;
  branch: string;
  /** Folder inside the repository without leading or trailing slash; `''` for its root. */
  path: string;
  committer: Identity;
  /** Domain of the e-mail address of users whose name is not one. */
  authorEmailDomain: string;
}

export const DEFAULT_BRANCH = 'main';
export const DEFAULT_AUTHOR_EMAIL_DOMAIN = 'users.noreply.cluster.local';
export const DEFAULT_COMMITTER: Identity = {
  name: 'GitOps Reverser',
  email: 'gitops-reverser@users.noreply.cluster.local',
};
