import { repositoryKeyText } from '#domain';
import type { KubeObject, RepositoryKey, ResourceType } from '#domain';
import { compileRule, findUnmatched, matchedResourceText, parseWatchRule, selectResources } from '#rules';
import type { SelectedResource, ServedResource, WatchRule } from '#rules';
import { RULE_REASONS } from './rule-status.ts';
import type { RuleState } from './rule-status.ts';

export interface EvaluatedRule {
  object: KubeObject;
  /** What is wrong with it, or ready as soon as the registration is in force. */
  state: RuleState;
}

export interface Evaluation {
  /** `namespace/name` of a GitRepoConfig → what its rules select and say: news of it ask for a resync. */
  byRepository: Map<string, { types: ResourceType[]; text: string }>;
  /** The rules in force. */
  rules: WatchRule[];
  /** What they select, for the registration. */
  selected: SelectedResource[];
  evaluated: EvaluatedRule[];
}

/** What all WatchRules mean in a cluster that serves `types`. Pure. */
export function evaluateRules(
  objects: KubeObject[],
  types: ServedResource[],
  exists: (repository: RepositoryKey) => boolean,
): Evaluation {
  const rules: WatchRule[] = [];
  const evaluated = objects.map((object): EvaluatedRule => {
    const parsed = parseWatchRule(object);
    if (!('rule' in parsed)) return { object, state: stalled(RULE_REASONS.invalidSpec, parsed.problems.join('; ')) };
    const { rule } = parsed;
    const repository = { namespace: rule.key.namespace, name: rule.spec.gitRepoConfigRef };
    if (!exists(repository)) {
      const message = `The GitRepoConfig ${repository.name} does not exist in namespace ${repository.namespace}: create it, or correct spec.gitRepoConfigRef.`;
      return { object, state: stalled(RULE_REASONS.repositoryNotFound, message) };
    }
    rules.push(rule);
    return { object, state: matchedState(rule, types) };
  });
  const selected = selectResources(rules.map(compileRule), types);
  return { rules, selected, evaluated, byRepository: groupByRepository(rules, selected, types) };
}

/** The versions are those of the whole selection: a type is registered and read in one version only. */
function groupByRepository(
  rules: WatchRule[],
  selected: SelectedResource[],
  types: ServedResource[],
): Evaluation['byRepository'] {
  const registered = new Map(selected.map(({ type }) => [`${type.group}/${type.resource}`, type]));
  const groups = Map.groupBy(rules, ({ key, spec }) =>
    repositoryKeyText({ namespace: key.namespace, name: spec.gitRepoConfigRef }),
  );
  return new Map(
    [...groups].map(([repository, group]) => {
      const own = selectResources(group.map(compileRule), types).flatMap(
        ({ type }) => registered.get(`${type.group}/${type.resource}`) ?? [],
      );
      const text = JSON.stringify([own, group.map(({ key, spec }) => [key.name, spec])]);
      return [repository, { types: own, text }];
    }),
  );
}

function matchedState(rule: WatchRule, types: ServedResource[]): RuleState {
  const compiled = compileRule(rule);
  const matchedResources = selectResources([compiled], types).map(({ type }) => matchedResourceText(type));
  const unmatched = findUnmatched(compiled, types);
  const missing = `The cluster serves nothing to capture for: ${unmatched.join(', ')}. Correct the name, or install what serves it.`;
  if (matchedResources.length === 0) return { ...stalled(RULE_REASONS.nothingMatched, missing) };
  const message = unmatched.length > 0 ? missing : `${matchedResources.length} kinds are captured.`;
  return { phase: 'ready', reason: RULE_REASONS.ready, message, matchedResources };
}

function stalled(reason: string, message: string): RuleState {
  return { phase: 'stalled', reason, message, matchedResources: [] };
}
