import { parseApiVersion, repositoryKeyText } from '#domain';
import type { Operation, RepositoryKey } from '#domain';
import { compileSelector } from './label-selector.ts';
import type { Requirement } from './label-selector.ts';
import { compileWildcards } from './match-wildcard.ts';
import type { TextMatcher } from './match-wildcard.ts';
import type { WatchRule } from './parse-watch-rule.ts';

/** One entry of `spec.resources`; an absent field stands for any. Identity has no version: `version` only says which one was named. */
export interface ResourcePattern {
  /** As written, `apiVersion kind`: for messages. */
  text: string;
  group?: string;
  version?: string;
  kind?: string;
}

/** A rule prepared for matching; immutable. */
export interface CompiledRule {
  /** `namespace/name` of the WatchRule. */
  text: string;
  repository: RepositoryKey;
  patterns: readonly ResourcePattern[];
  operations: ReadonlySet<Operation>;
  /** Absent: all namespaces and cluster-scoped objects. Empty: all namespaces. */
  namespaceSelector?: readonly Requirement[];
  labelSelector: readonly Requirement[];
  /** Absent where nothing is excluded; an empty selector in the spec excludes nothing. */
  excludeLabels?: readonly Requirement[];
  excludesUser: TextMatcher;
  excludesFieldManager: TextMatcher;
  includeOwned: boolean;
}

export function compileRule(rule: WatchRule): CompiledRule {
  const { spec, key } = rule;
  const excludeLabels = compileSelector(spec.excludeLabels ?? {});
  return {
    text: repositoryKeyText(key),
    repository: { namespace: key.namespace, name: spec.gitRepoConfigRef },
    patterns: spec.resources.map(compilePattern),
    operations: new Set(spec.operations),
    ...(spec.namespaceSelector && { namespaceSelector: compileSelector(spec.namespaceSelector) }),
    labelSelector: compileSelector(spec.labelSelector ?? {}),
    ...(excludeLabels.length > 0 && { excludeLabels }),
    excludesUser: compileWildcards(spec.excludeUsers),
    excludesFieldManager: compileWildcards(spec.excludeFieldManagers),
    includeOwned: spec.includeOwned,
  };
}

function compilePattern({ apiVersion, kind }: { apiVersion: string; kind: string }): ResourcePattern {
  const { group, version } = parseApiVersion(apiVersion);
  return {
    text: `${apiVersion} ${kind}`,
    ...(apiVersion !== '*' && { group }),
    ...(apiVersion !== '*' && version !== '*' && { version }),
    ...(kind !== '*' && { kind }),
  };
}

/** How an entry means a type: by its kind's name, or by a wildcard, from which noise is left out. */
export type Meaning = 'named' | 'wildcard';

export function meaningOfPattern(pattern: ResourcePattern, type: { group: string; kind: string }): Meaning | undefined {
  if (pattern.group !== undefined && pattern.group !== type.group) return undefined;
  if (pattern.kind === undefined) return 'wildcard';
  return pattern.kind === type.kind ? 'named' : undefined;
}

/** The strongest meaning among a rule's entries; absent where none means the type. */
export function meaningOfRule(rule: CompiledRule, type: { group: string; kind: string }): Meaning | undefined {
  let meaning: Meaning | undefined;
  for (const pattern of rule.patterns) {
    const found = meaningOfPattern(pattern, type);
    if (found === 'named') return found;
    meaning ??= found;
  }
  return meaning;
}
