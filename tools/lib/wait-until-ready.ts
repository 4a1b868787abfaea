import type { Child } from './child-process.ts';
import { waitFor } from './wait-for.ts';

const START_TIMEOUT_MS = 60_000;

/** Waits until `ready` says so; fails at once, with what the process printed last, when it ends instead. */
export async function waitUntilReady(
  child: Child,
  ready: () => Promise<boolean>,
  timeoutMs = START_TIMEOUT_MS,
): Promise<void> {
  const ended = new AbortController();
  void child.exited.then(({ code, signal }) =>
    ended.abort(new Error(`${child.name} ended with ${signal ?? `code ${code}`} while it started:\n${child.tail()}`)),
  );
  try {
    await waitFor(`${child.name} to be ready`, ready, { timeoutMs, signal: ended.signal });
  } catch (error) {
    if (ended.signal.aborted) throw ended.signal.reason;
    throw new Error(`${(error as Error).message}\n${child.tail()}`, { cause: error });
  }
}
