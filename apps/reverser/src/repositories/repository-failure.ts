import { CodedError } from '#domain';
import type { GitErrorCode } from '#git';
import type { RepositoryState } from './repository-state.ts';

/** Troubles with this replica's own disk and programs: another replica may be able to write. */
const OWN_TROUBLES: readonly GitErrorCode[] = ['DataDirUnwritable', 'DiskFull', 'CloneCorrupt', 'GitUnavailable'];

/** What a failed probe or push says about the repository. Pure. */
export function asFailure(error: unknown): RepositoryState {
  if (error instanceof CodedError) {
    const { retryable, code, message } = error as CodedError;
    return { phase: retryable ? 'waiting' : 'stalled', reason: code, message };
  }
  const message = error instanceof Error ? error.message : 'Unknown error.';
  return { phase: 'waiting', reason: 'Failed', message: `${message} It is tried again.` };
}

/** Whether the trouble is this replica's own, and not one with the remote that every replica has. Pure. */
export function isOwnTrouble({ reason }: RepositoryState): boolean {
  return (OWN_TROUBLES as readonly string[]).includes(reason);
}
