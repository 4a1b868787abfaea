import { setReadiness } from '#k8s';
import type { Condition, Readiness } from '#k8s';

/** Condition reasons of a WatchRule. */
export const RULE_REASONS = {
  /** The API server sends the changes of what the rule selects. */
  ready: 'Ready',
  /** The registration failed; it is tried again. */
  registrationFailed: 'RegistrationFailed',
  invalidSpec: 'InvalidSpec',
  repositoryNotFound: 'GitRepoConfigNotFound',
  /** Entries of spec.resources name kinds that the cluster does not serve. */
  nothingMatched: 'NoResourcesMatched',
} as const;

/** How a WatchRule is doing. */
export interface RuleState {
  phase: 'ready' | 'progressing' | 'stalled';
  reason: string;
  message: string;
  /** `v1/configmaps`, `apps/v1/deployments`. */
  matchedResources: string[];
}

export interface RuleStatus {
  observedGeneration: number;
  conditions: Condition[];
  matchedResources: string[];
  matchedResourceCount: number;
}

const READINESS: Record<RuleState['phase'], Readiness> = {
  ready: 'ready',
  progressing: 'reconciling',
  stalled: 'stalled',
};

/** The status of a rule. Pure. @param now milliseconds since the epoch */
export function ruleStatus(
  previous: Condition[],
  state: RuleState,
  observedGeneration: number,
  now: number,
): RuleStatus {
  const { phase, reason, message, matchedResources } = state;
  const conditions = setReadiness(previous, READINESS[phase], { reason, message, observedGeneration }, now);
  return { observedGeneration, conditions, matchedResources, matchedResourceCount: matchedResources.length };
}
