import type { Doubt, Proof } from '#ledger';

/** An object that was written no longer ago than this, in ms, may have been created by a call whose record is on its way. */
const YOUNG_MS = 30_000;
/**
 * Where there is always something new to doubt, what was doubted this long ago is decided, in ms: an object that nobody
 * announces and that is written several times a second. Longer than a replica holds records after a moment without Redis, and
 * short enough for 15 s from a change that nobody announced to Git.
 */
const LONGEST_MS = 10_000;

/**
 * Why verdicts may have to wait, and since when: a record that tells another story was on its way by then, or there is none.
 * Nothing where all is explained.
 * @param known the doubt that was noted at an earlier look
 */
export function doubtOf(
  proof: Proof,
  known: Doubt | undefined,
  { now, redisNow }: { now: number; redisNow: number },
): Doubt | undefined {
  const about = [...proof.doubts, ...youngOnes(proof, now)];
  if (about.length === 0) return undefined;
  if (known === undefined) return { about, since: redisNow, first: redisNow };
  const { since, first } = known;
  const isNew = about.some((each) => !known.about.includes(each)) && redisNow - first <= LONGEST_MS;
  return { about, since: isNew ? redisNow : since, first };
}

/** First states of young objects whose creation is not known. */
function youngOnes({ changes }: Proof, now: number): string[] {
  return changes.flatMap((change) =>
    change.kind === 'observed' && change.presumed === true && now - (change.writtenAt ?? now) < YOUNG_MS
      ? [`${change.uid} presumed`]
      : [],
  );
}
