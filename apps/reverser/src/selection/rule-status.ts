import type { Condition } from '#k8s';
import { setCondition } from '#k8s';

/** Condition reasons of a WatchRule. */
export const RULE_REASONS = {
  /** The API server sends the changes of what the rule selects. */
  ready: 'Ready',
  /** The webhook's registration is being changed. */
  registering: 'Registering',
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

/** The status of a rule, after kstatus: Ready, and Reconciling and Stalled as abnormal conditions. Pure. */
export function ruleStatus(previous: Condition[], state: RuleState, observedGeneration: number, now: Date): RuleStatus {
  const { phase, reason, message } = state;
  const abnormal = (on: boolean, off: string): { status: 'True' | 'False'; reason: string; message: string } =>
    on ? { status: 'True', reason, message } : { status: 'False', reason: off, message: '' };
  const updates = [
    { type: 'Ready', status: phase === 'ready' ? ('True' as const) : ('False' as const), reason, message },
    { type: 'Reconciling', ...abnormal(phase === 'progressing', 'Idle') },
    { type: 'Stalled', ...abnormal(phase === 'stalled', 'NotStalled') },
  ];
  const conditions = updates.reduce(
    (result, update) => setCondition(result, { ...update, observedGeneration }, now),
    previous,
  );
  const { matchedResources } = state;
  return { observedGeneration, conditions, matchedResources, matchedResourceCount: matchedResources.length };
}
