import { compareVersions } from './proof.ts';
import type { LedgerView, Proof } from './proof.ts';

/**
 * The version after which the API server's own history may tell more; undefined where nothing can be learned. An attempt was
 * heard of, and may have been stored: the call after it was not heard, so that no proven state shows it.
 * @returns the oldest base of such attempts, or the version before it where the base itself was never seen
 */
export function historySince(view: LedgerView, proof: Proof): string | undefined {
  if (proof.doubts.length === 0 && !proof.changes.some((change) => change.kind === 'observed')) return undefined;
  const known = [...basesOf(view, proof), ...beforeCreations(view, proof)];
  return known.sort(compareVersions)[0];
}

/** Where updates began that are given up. */
function basesOf({ settled, states }: LedgerView, { dismissed }: Proof): string[] {
  const bases = dismissed.flatMap(({ attempt: { operation, base }, reason }) =>
    reason === 'superseded' && operation === 'UPDATE' && base !== null ? [base] : [],
  );
  // What lies before the settled version was decided: a record that came again tells nothing.
  const open = bases.filter((base) => settled === undefined || compareVersions(base, settled.version) >= 0);
  const isSeen = (version: string): boolean =>
    settled?.version === version || states.some(({ state }) => state.version === version);
  return open.map((base) => (isSeen(base) ? base : String(BigInt(base) - 1n)));
}

/** Another uid bears the name by now: one whose creation is pending may have come and gone between the two. */
function beforeCreations({ settled }: LedgerView, proof: Proof): string[] {
  if (settled === undefined || proof.settled === undefined || proof.settled.uid === settled.uid) return [];
  return proof.pending.some(({ base }) => base === null) ? [settled.version] : [];
}
