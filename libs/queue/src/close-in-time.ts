import { setTimeout as pause } from 'node:timers/promises';

/** A worker that can't hand its job back because Redis is away is left behind: the job's lock runs out by itself. */
const LIMIT_MS = 3_000;

/** Closes a worker or a queue properly, but does not wait for a Redis that is away. */
export async function closeInTime(closable: { close(): Promise<unknown> } | undefined): Promise<void> {
  if (closable === undefined) return;
  const timer = new AbortController();
  const limit = pause(LIMIT_MS, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([closable.close(), limit]);
  timer.abort();
}
