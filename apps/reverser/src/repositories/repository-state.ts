import type { Condition } from '#k8s';
import { setCondition } from '#k8s';

/** Condition reasons beside the codes of GitError. */
export const REASONS = {
  /** The probe of the remote, including the right to push, succeeded. */
  ready: 'Ready',
  /** Not probed yet, or being probed again after a change. */
  probing: 'Probing',
  suspended: 'Suspended',
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

/** The conditions of a state, after kstatus: Ready, and Reconciling and Stalled as abnormal ones. Pure. */
export function repositoryConditions(
  previous: Condition[],
  state: RepositoryState,
  observedGeneration: number,
  now: Date,
): Condition[] {
  const { phase, reason, message } = state;
  const flag = (value: boolean): 'True' | 'False' => (value ? 'True' : 'False');
  const ready = phase === 'ready';
  const reconciling = phase === 'probing' || phase === 'waiting';
  const updates = [
    { type: 'Ready', status: phase === 'probing' ? ('Unknown' as const) : flag(ready), reason, message },
    {
      type: 'Reconciling',
      status: flag(reconciling),
      reason: reconciling ? reason : 'Idle',
      message: reconciling ? message : '',
    },
    {
      type: 'Stalled',
      status: flag(phase === 'stalled'),
      reason: phase === 'stalled' ? reason : 'NotStalled',
      message: phase === 'stalled' ? message : '',
    },
  ];
  return updates.reduce(
    (conditions, update) => setCondition(conditions, { ...update, observedGeneration }, now),
    previous,
  );
}
