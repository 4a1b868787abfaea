/** Waits between attempts, in milliseconds: doubled each time from `first` up to `limit`, less up to half by chance. */
export interface BackoffSettings {
  first: number;
  limit: number;
}

/** The wait before attempt `failures + 1`. `random` is from [0, 1). */
export function backoffDelay(settings: BackoffSettings, failures: number, random: number): number {
  const full = Math.min(settings.limit, settings.first * 2 ** Math.min(Math.max(0, failures - 1), 30));
  return Math.round(full * (1 - random / 2));
}

/** Resolves after the time or at once when the signal aborts; never rejects. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
