import { setReadiness } from '#k8s';
import type { Condition, Readiness } from '#k8s';

/** Condition reasons beside the codes of GitError. */
export const REASONS = {
  /** The probe of the remote, including the right to push, succeeded. */
  ready: 'Ready',
  /** Not probed yet, or being probed again after a change. */
  probing: 'Probing',
  suspended: 'Suspended',
  /** spec.prune would remove many files at once: a person has to allow it. */
  massRemoval: 'MassRemoval',
  invalidSpec: 'InvalidSpec',
  secretNotFound: 'SecretNotFound',
  secretUnreadable: 'SecretUnreadable',
} as const;

/** How a GitRepoConfig is doing. `waiting`: it heals by itself, we go on trying. `stalled`: a person must act. */
export interface RepositoryState {
  phase: 'probing' | 'ready' | 'waiting' | 'stalled' | 'suspended';
  reason: string;
  message: string;
}

/** The repository was probed, or written to. */
export const READY: RepositoryState = {
  phase: 'ready',
  reason: REASONS.ready,
  message: 'The repository can be read and pushed to.',
};

const READINESS: Record<RepositoryState['phase'], Readiness> = {
  probing: 'reconciling',
  waiting: 'reconciling',
  ready: 'ready',
  stalled: 'stalled',
  suspended: 'stalled',
};

/** The conditions of a state. Pure. @param now milliseconds since the epoch */
export function repositoryConditions(
  previous: Condition[],
  { phase, reason, message }: RepositoryState,
  observedGeneration: number,
  now: number,
): Condition[] {
  return setReadiness(previous, READINESS[phase], { reason, message, observedGeneration }, now);
}
