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
  if (meaning === undefined) return { skipped: 'resource-not-selected' };
  return matchPreparedFacts(rule, meaning, prepareFacts(facts));
}

/** What is the same for every rule, so that a change is looked at once, however many rules there are. */
export interface PreparedFacts {
  facts: MatchFacts;
  /** What every rule answers. */
  always: SkipReason | undefined;
  /** What rules answer that mean the type by a wildcard. */
  noise: SkipReason | undefined;
  inNoiseNamespace: boolean;
  clusterScoped: boolean;
  /** The labels that a namespaceSelector looks at. */
  namespaceLabels: Readonly<Record<string, string>> | 'unknown';
}

export function prepareFacts(facts: MatchFacts): PreparedFacts {
  const namespace = namespaceOf(facts);
  return {
    facts,
    always: isIgnored(facts) ? 'ignored' : facts.dying === true ? 'dying' : undefined,
    noise: noiseOf(facts),
    inNoiseNamespace: namespace !== undefined && NOISE_NAMESPACES.has(namespace),
    clusterScoped: namespace === undefined,
    namespaceLabels: isNamespace(facts) ? facts.labels : (facts.namespaceLabels ?? 'unknown'),
  };
}

function isIgnored({ annotations, labels }: MatchFacts): boolean {
  return labelOf(annotations, IGNORE_KEY) === 'true' || labelOf(labels, IGNORE_KEY) === 'true';
}

const isNoiseUser = compileWildcards(NOISE_USERS);

function noiseOf(facts: MatchFacts): SkipReason | undefined {
  if (isNoiseKind(facts.type)) return 'default-kind';
  if (isNoiseObject(facts)) return 'default-object';
  return facts.operation !== 'DELETE' && isNoiseUser(facts.user) ? 'default-user' : undefined;
}

/** {@link matchRule} for a caller who asks many rules and knows already how this one means the type. */
export function matchPreparedFacts(rule: CompiledRule, meaning: Meaning, prepared: PreparedFacts): MatchResult {
  if (prepared.always !== undefined) return { skipped: prepared.always };
  for (const predicate of PREDICATES) {
    const reason = predicate(rule, prepared.facts);
    if (reason !== undefined) return { skipped: reason };
  }
  const noise = meaning === 'wildcard' ? skipNoise(rule, prepared) : undefined;
  return noise === undefined ? matchNamespace(rule, prepared) : { skipped: noise };
}

type Predicate = (rule: CompiledRule, facts: MatchFacts) => SkipReason | undefined;

const PREDICATES: readonly Predicate[] = [
  skipOperation,
  skipOwned,
  skipUnselectedLabels,
  skipExcludedLabels,
  skipExcludedUser,
  skipExcludedFieldManager,
];

function skipOperation(rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  return rule.operations.has(facts.operation) ? undefined : 'operation-not-selected';
}

function skipOwned(rule: CompiledRule, facts: MatchFacts): SkipReason | undefined {
  return facts.controllerOwner !== undefined && !rule.includeOwned ? 'owned' : undefined;
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

function skipNoise(rule: CompiledRule, prepared: PreparedFacts): SkipReason | undefined {
  if (prepared.noise !== undefined) return prepared.noise;
  return prepared.inNoiseNamespace && rule.namespaceSelector === undefined ? 'default-namespace' : undefined;
}

function matchNamespace(rule: CompiledRule, prepared: PreparedFacts): MatchResult {
  const selector = rule.namespaceSelector;
  if (selector === undefined) return { wanted: true };
  if (prepared.clusterScoped) return { skipped: 'cluster-scoped' };
  if (selector.length === 0) return { wanted: true }; // selects every namespace, whatever its labels
  if (prepared.namespaceLabels === 'unknown') return { undecided: true };
  return matchSelector(selector, prepared.namespaceLabels) ? { wanted: true } : { skipped: 'namespace-not-selected' };
}
