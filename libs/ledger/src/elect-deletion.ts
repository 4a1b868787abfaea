import type { Attempt } from '#domain';

/**
 * Who deleted an object when several asked. Requests within `tieMs` of the last one can't be told apart: the first of
 * them whom a rule wants is the author and the others are named. Requests before that were refused, else there had been no later one.
 * @param whileDying deletions that were asked for when the object was dying: they tell who more likely lost
 */
export function electDeletion(
  deletions: Attempt[],
  tieMs: number,
  whileDying: Attempt[] = [],
): { attempt: Attempt; alsoRequestedBy: string[] } | undefined {
  const ordered = [...deletions].sort((a, b) => a.admittedAt - b.admittedAt || (a.id < b.id ? -1 : 1));
  const last = ordered.at(-1);
  if (last === undefined) return undefined;
  const tied = ordered.filter((a) => last.admittedAt - a.admittedAt <= tieMs);
  const favoured = [...withoutRetried(tied, whileDying), ...tied];
  const attempt = favoured.find(({ wantedBy }) => wantedBy.length > 0) ?? favoured[0] ?? last;
  const others = new Set(tied.map((a) => a.user));
  others.delete(attempt.user);
  return { attempt, alsoRequestedBy: [...others] };
}

/** The API server repeats a deletion that started from a stale read at once; a user's own second try mostly takes longer. */
const RETRY_WINDOW_MS = 1_000;

/**
 * Leaves out deletions that lost: their user's request was repeated right away against the version that was dying by then.
 * One for each user: of several requests by one user, repetitions don't tell how many lost. Where that would leave nobody, all stay.
 */
export function withoutRetried(deletions: Attempt[], whileDying: Attempt[]): Attempt[] {
  const lost = new Map<string, Attempt>();
  for (const attempt of deletions) {
    const isRetried = whileDying.some((retry) => {
      const delay = retry.admittedAt - attempt.admittedAt;
      return retry.user === attempt.user && delay >= 0 && delay <= RETRY_WINDOW_MS;
    });
    if (isRetried) lost.set(attempt.user, attempt);
  }
  const won = deletions.filter((attempt) => lost.get(attempt.user) !== attempt);
  return won.length > 0 ? won : deletions;
}
