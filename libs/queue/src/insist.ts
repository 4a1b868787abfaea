import { setTimeout as pause } from 'node:timers/promises';

/** Pause after a failure that is nobody's verdict, such as Redis being away; doubles up to the longest. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

/** Tries until it works, with growing pauses. Rejects with the signal's reason once it is aborted. */
export async function insist<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  onFailure: (error: Error, pauseMs: number) => void,
): Promise<T> {
  for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_RETRY_MS)) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      onFailure(error as Error, pauseMs);
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
