import { compareVersions } from './proof.ts';
import type { Proof } from './proof.ts';

/**
 * The version from which on the API server's own history may tell more, oldest base first; undefined where nothing can be
 * learned. An attempt was heard of, and may have been stored: the call after it was not heard, so that no proven state shows it.
 */
export function historySince({ doubt, dismissed }: Proof): string | undefined {
  if (doubt === undefined) return undefined;
  const bases = dismissed.flatMap(({ attempt: { operation, base }, reason }) =>
    reason === 'superseded' && operation === 'UPDATE' && base !== null ? [base] : [],
  );
  return bases.sort(compareVersions)[0];
}
