import { meaningOfRule } from './compile-rule.ts';
import type { CompiledRule, Meaning } from './compile-rule.ts';
import { isNoiseKind, isNoiseObject, NOISE_NAMESPACES, NOISE_USERS } from './default-noise.ts';
import { labelOf, matchSelector } from './label-selector.ts';
import { isNamespace, namespaceOf } from './match-facts.ts';
import type { MatchFacts } from './match-facts.ts';
import { compileWildcards } from './match-wildcard.ts';
import type { SkipReason } from './skip-reason.ts';

/** `undecided`: the rule selects by namespace labels, which are not known yet; ask again with them. */
export type MatchResult = { wanted: true } | { skipped: SkipReason } | { undecided: true };

/** As annotation or label with the value "true": leaves the object out of every rule. */
export const IGNORE_KEY = 'gitops-reverser/ignore';

/** Does this rule want this change? Pure; the first reason against it is the answer, the undecided namespace the last. */
export function matchRule(rule: CompiledRule, facts: MatchFacts): MatchResult {
  const meaning = meaningOfRule(rule, facts.type);
  return meaning === undefined ? { skipped: 'resource-not-selected' } : matchMeantRule(rule, meaning, facts);
}

/** {@link matchRule} for a caller who knows already how the rule means the type. */
export function matchMeantRule(rule: CompiledRule, meaning: Meaning, facts: MatchFacts): MatchResult {
  for (const predicate of PREDICATES) {
    const reason = predicate(rule, facts, meaning);
    if (reason !== undefined) return { skipped: reason };
  }
  return matchNamespace(rule, facts);
}

type Predicate = (rule: CompiledRule, facts: MatchFacts, meaning: Meaning) => SkipReason | undefined;

const isNoiseUser = compileWildcards(NOISE_USERS);

const PREDICATES: readonly Predicate[] = [
  skipOperation,
  skipIgnored,
  skipDying,
  skipOwned,
  skipClusterScoped,
  skipUnselectedLabels,
  skipExcludedLabels,
  skipExcludedUser,
  skipExcludedFieldManager,
  skipNoise,
];

function skipOperation(rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  return rule.operations.has(facts.operation) ? undefined : 'operation-not-selected';
}

function skipIgnored(_rule: CompiledRule, { annotations, labels }: MatchFacts): SkipReason | undefined {
  const ignored = labelOf(annotations, IGNORE_KEY) === 'true' || labelOf(labels, IGNORE_KEY) === 'true';
  return ignored ? 'ignored' : undefined;
}

function skipDying(_rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  return facts.dying === true ? 'dying' : undefined;
}

function skipOwned(rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  return facts.controllerOwner !== undefined && !rule.includeOwned ? 'owned' : undefined;
}

function skipClusterScoped(rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  return rule.namespaceSelector !== undefined && namespaceOf(facts) === undefined ? 'cluster-scoped' : undefined;
}

function skipUnselectedLabels(rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  return matchSelector(rule.labelSelector, facts.labels) ? undefined : 'labels-not-selected';
}

function skipExcludedLabels(rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  return rule.excludeLabels && matchSelector(rule.excludeLabels, facts.labels) ? 'labels-excluded' : undefined;
}

function skipExcludedUser(rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  return facts.user !== '' && rule.excludesUser(facts.user) ? 'user-excluded' : undefined;
}

function skipExcludedFieldManager(rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  if (facts.user === '' || facts.fieldManager === '') return undefined;
  return rule.excludesFieldManager(facts.fieldManager) ? 'field-manager-excluded' : undefined;
}

function skipNoise(rule: CompiledRule, facts: MatchFacts, meaning: Meaning): SkipReason | undefined {
  if (meaning === 'named') return undefined;
  if (isNoiseKind(facts.type)) return 'default-kind';
  if (isNoiseObject(facts)) return 'default-object';
  const namespace = namespaceOf(facts);
  if (rule.namespaceSelector === undefined && namespace !== undefined && NOISE_NAMESPACES.has(namespace)) {
    return 'default-namespace';
  }
  return facts.operation !== 'DELETE' && isNoiseUser(facts.user) ? 'default-user' : undefined;
}

function matchNamespace(rule: CompiledRule, facts: MatchFacts): MatchResult {
  if (rule.namespaceSelector === undefined) return { wanted: true };
  const labels = isNamespace(facts) ? facts.labels : (facts.namespaceLabels ?? 'unknown');
  if (rule.namespaceSelector.length === 0) return { wanted: true }; // selects every namespace, whatever its labels
  if (labels === 'unknown') return { undecided: true };
  return matchSelector(rule.namespaceSelector, labels) ? { wanted: true } : { skipped: 'namespace-not-selected' };
}
