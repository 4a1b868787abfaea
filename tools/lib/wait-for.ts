import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** How long to wait at most, in milliseconds; 15,000 by default. */
  timeoutMs?: number;
  /** Pause between two looks, in milliseconds; 50 by default. */
  intervalMs?: number;
  signal?: AbortSignal;
}

/**
 * Looks until `look` returns something other than `undefined`, `null` or `false`, and returns that. A `look` that throws
 * counts as "not yet". When time is up, the error says what was waited for and what the last look saw.
 */
export async function waitFor<T>(
  description: string,
  look: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  options: WaitOptions = {},
): Promise<T> {
  const { timeoutMs = 15_000, intervalMs = 50, signal } = options;
  const start = Date.now();
  let last: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const seen = await look();
      if (seen !== undefined && seen !== null && seen !== false) return seen;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() - start >= timeoutMs) {
      const reason = last instanceof Error ? `: ${last.message}` : '';
      throw new Error(`Waited ${timeoutMs} ms in vain for ${description}${reason}`, { cause: last });
    }
    await pause(intervalMs, undefined, { signal });
  }
}
