import { setTimeout as pause } from 'node:timers/promises';

/** A Redis that is away is not waited for: what is closed then goes on closing by itself, and ends once Redis is back. */
const LIMIT_MS = 3_000;

/** Waits until something is closed, up to a limit. Never rejects. */
export async function closeInTime(closing: Promise<unknown> | undefined): Promise<void> {
  if (closing === undefined) return;
  const timer = new AbortController();
  const limit = pause(LIMIT_MS, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([closing.catch(() => undefined), limit]);
  timer.abort();
}
