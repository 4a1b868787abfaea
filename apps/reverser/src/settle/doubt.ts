/**
 * How long a step may stay unexplained before it is committed as observed: a record that Redis could not take at once is
 * held in its replica's memory, and comes within this time after Redis is back.
 */
const DOUBT_MS = 3_000;
/**
 * Even what is explained may follow on something that another replica still holds, such as the deletion of an object whose
 * name was taken again: so soon after Redis is back nothing is decided.
 */
const GATHER_MS = 2_000;

/**
 * Until when nothing is decided about an object, in ms since the epoch; in the past where it may be decided now.
 * @param unexplained since when a step is known that nothing explains: `now` for a new one, undefined where there is none
 * @param redisBack when the connection to Redis came back; undefined while it is away
 */
export function waitUntil(unexplained: number | undefined, redisBack: number | undefined, now: number): number {
  if (redisBack === undefined) return now + GATHER_MS;
  return unexplained === undefined ? redisBack + GATHER_MS : Math.max(unexplained, redisBack) + DOUBT_MS;
}
