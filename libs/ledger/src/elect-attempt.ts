import type { Attempt } from '#domain';
import { electDeletion } from './elect-deletion.ts';
import { matchForm } from './version-chain.ts';
import type { Match, ProvenVersion } from './version-chain.ts';

const STRENGTH: Record<Match, number> = { exact: 4, foretold: 3, fingerprint: 2, content: 1 };

/**
 * The attempt that ends in `version`: the strongest match. Equals asked for the very same state from the same one, and all
 * but one were refused: as with deletions, time tells or all are named.
 */
export function electAttempt(
  attempts: Attempt[],
  version: ProvenVersion,
  tieMs: number,
): { attempt: Attempt; match: Match; alsoRequestedBy: string[] } | undefined {
  const matches = attempts.flatMap((attempt) => {
    const match = matchForm(attempt.target, version);
    return match === undefined ? [] : [{ attempt, match }];
  });
  const strongest = matches.reduce<Match | undefined>(
    (best, { match }) => (best === undefined || STRENGTH[match] > STRENGTH[best] ? match : best),
    undefined,
  );
  const equals = matches.filter(({ match }) => match === strongest).map(({ attempt }) => attempt);
  const elected = electDeletion(equals, tieMs);
  return strongest === undefined || elected === undefined ? undefined : { ...elected, match: strongest };
}
