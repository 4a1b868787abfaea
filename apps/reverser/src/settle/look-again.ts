/** Looks inside one job, in ms: most writes are stored within a few ms of the answer to their admission call. */
export const QUICK_LOOKS_MS = [4, 6, 10, 20, 40] as const;

const SOONEST_MS = 100;
const LATEST_MS = 5_000;

/** When to look again at attempts that stay undecided, the newest of them `ageMs` old: ever more seldom. */
export function nextLookIn(ageMs: number): number {
  return Math.min(LATEST_MS, Math.max(SOONEST_MS, ageMs / 2));
}
