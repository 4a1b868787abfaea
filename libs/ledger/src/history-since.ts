import { compareVersions } from './proof.ts';
import type { LedgerView, Proof } from './proof.ts';

/**
 * The version after which the API server's own history may tell more; undefined where nothing can be learned. An attempt was
 * heard of, and may have been stored: the call after it was not heard, so that no proven state shows it.
 * @returns the oldest base of such attempts, or the version before it where the base itself was never seen
 */
export function historySince(view: LedgerView, { doubts, dismissed, changes }: Proof): string | undefined {
  if (doubts.length === 0 && !changes.some((change) => change.kind === 'observed')) return undefined;
  const { settled } = view;
  const bases = dismissed.flatMap(({ attempt: { operation, base }, reason }) =>
    reason === 'superseded' && operation === 'UPDATE' && base !== null ? [base] : [],
  );
  // What lies before the settled version was decided: a record that came again tells nothing.
  const open = bases.filter((base) => settled === undefined || compareVersions(base, settled.version) >= 0);
  const oldest = open.sort(compareVersions)[0];
  if (oldest === undefined) return undefined;
  const isSeen = settled?.version === oldest || view.states.some(({ state }) => state.version === oldest);
  return isSeen ? oldest : String(BigInt(oldest) - 1n);
}
