/**
 * How long a step may stay unexplained before it is committed as observed: a record that Redis could not take at once is
 * held in its replica's memory, and comes within this time after Redis is back.
 */
const DOUBT_MS = 3_000;

/**
 * Until when a step that nothing explains is not believed, in ms since the epoch.
 * @param since when it was first seen; undefined: just now
 * @param redisBack when Redis was last found to be back; undefined: it is away
 */
export function doubtEnds(since: number | undefined, redisBack: number | undefined, now: number): number {
  return redisBack === undefined ? now + DOUBT_MS : Math.max(since ?? now, redisBack) + DOUBT_MS;
}
