import type { KubeObject, RepositoryTarget } from '#domain';
import { GitRepoConfigSpec } from './git-repo-config-spec.ts';
import type { ParsedObject } from './parse-spec.ts';
import { parseSpec } from './parse-spec.ts';

/** A valid GitRepoConfig and what it asks for. Whether a file:// URL is allowed is the operator's setting, not checked here. */
export interface GitRepoConfig extends ParsedObject<GitRepoConfigSpec> {
  target: RepositoryTarget;
  /** Name of the Secret with the credentials, in the same namespace. */
  secretName?: string;
  suspend: boolean;
  prune: boolean;
}

/** Reads a GitRepoConfig, or lists every mistake in it as `<field>: <what to do>`. Never throws, whatever the input. */
export function parseGitRepoConfig(object: KubeObject): { config: GitRepoConfig } | { problems: string[] } {
  const result = parseSpec(GitRepoConfigSpec, object);
  if (!('parsed' in result)) return result;
  const { key, spec } = result.parsed;
  const { committer, authorEmailDomain } = spec.commit;
  return {
    config: {
      ...result.parsed,
      target: {
        key,
        url: spec.url,
        branch: spec.branch,
        path: spec.path.replace(/\/$/, ''),
        committer: { name: committer.name, email: committer.email },
        authorEmailDomain,
      },
      ...(spec.secretRef && { secretName: spec.secretRef.name }),
      suspend: spec.suspend,
      prune: spec.prune,
    },
  };
}
