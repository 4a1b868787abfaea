import { compareVersions } from './proof.ts';
import type { LedgerView, LiveState, Proof } from './proof.ts';

/**
 * What the ledger must still hold after a proof: undecided attempts, the settled version's states (the next step starts
 * there), and every state from the settled version on. Attempts and states below it have had their verdict.
 */
export function nextView(view: LedgerView, proof: Proof, live: LiveState): LedgerView {
  const pendingUids = new Set(proof.pending.map((attempt) => attempt.object.uid));
  const settled = proof.settled;
  const states = live === undefined ? view.states : [...view.states, { uid: live.uid, state: live.state }];
  return {
    attempts: proof.pending,
    settled,
    states: states.filter(
      ({ uid, state }) =>
        (uid === settled?.uid || pendingUids.has(uid)) &&
        (settled === undefined || compareVersions(state.version, settled.version) >= 0),
    ),
  };
}
