import type { ResourceType } from '#domain';

/** A resource type that the API server serves in one version. */
export interface DiscoveredType extends ResourceType {
  verbs: string[];
  /** `status`, `scale`, ... without the resource's name. */
  subresources: string[];
  /** The version that the server prefers among those that serve this resource: one per group and resource. */
  preferred: boolean;
}

export interface DiscoveryResult {
  /** In the server's order: the core group first, each group's preferred version first. */
  types: DiscoveredType[];
  /** `group/version` that could not be read, or only from a stale copy (an aggregated API server is down). */
  failedGroups: string[];
}
