import { waitFor } from '../lib/wait-for.ts';
import type { Stage } from './stage.ts';

/** How many looks in a row, a second apart, must find nothing: a change is queued a moment after its call. */
const CALM_LOOKS = 4;

/** Waits until the operator says that no change waits to be pushed, and stays so. */
export async function untilDrained(stage: Stage, timeoutMs = 600_000): Promise<void> {
  let calm = 0;
  const isCalm = async (): Promise<boolean> => {
    calm = (await stage.pendingEvents()) === 0 ? calm + 1 : 0;
    return calm >= CALM_LOOKS;
  };
  await waitFor('the queue to be empty', isCalm, { timeoutMs, intervalMs: 1_000 });
}
