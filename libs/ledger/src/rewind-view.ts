import { compareVersions } from './proof.ts';
import type { LedgerView, LiveState } from './proof.ts';

/**
 * Whether the object's live version lies before what was settled of it. A live read never goes back, so the API server's
 * storage was restored from a backup.
 */
export function isRestored(view: LedgerView, live: LiveState): boolean {
  const { settled } = view;
  return live !== undefined && settled?.uid === live.uid && compareVersions(live.state.version, settled.version) < 0;
}

/** What is left to be known after a restore: nothing that lies behind the live version, which is ahead of all others. */
export function rewindView(view: LedgerView, version: string): LedgerView {
  const reached = (other: string | null): boolean => other === null || compareVersions(other, version) <= 0;
  return {
    attempts: view.attempts.filter(({ base }) => reached(base)),
    states: view.states.filter(({ state }) => reached(state.version)),
    settled: undefined,
  };
}
