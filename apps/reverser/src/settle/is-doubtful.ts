import type { Proof } from '#ledger';

/** An object that was written no longer ago than this, in ms, may have been created by a call whose record is on its way. */
const YOUNG_MS = 30_000;

/** Whether a step is not explained that a record could explain which has not come yet. */
export function isDoubtful(proof: Proof, now: number): boolean {
  return proof.changes.some(
    (change) => change.kind === 'observed' && (change.presumed !== true || now - (change.writtenAt ?? now) < YOUNG_MS),
  );
}
