import type { Change, ObjectRef } from '#domain';
import type { SettledMark, Standing } from '#ledger';

/**
 * Whether more was decided about the name than a list shows: the object is gone, changed, or another bears its name. The
 * events of that are queued already, and the listed state behind them would bring back what they removed.
 */
export function isPassed({ ref, version }: { ref: ObjectRef; version: string }, settled?: SettledMark): boolean {
  if (settled === undefined) return false;
  if (settled.uid === ref.uid && settled.gone) return true;
  return BigInt(settled.version) > BigInt(version);
}

/** Whether a change was found by comparing: what was decided since its list was read tells more. */
export function isListed({ listedAt, prune }: Change): boolean {
  return listedAt !== undefined || prune === true;
}

/**
 * Whether a change that was found by comparing may still be written, asked right before it is: what is recorded later is
 * queued behind it. Not where something about the name is being decided, or more is decided than the list shows.
 */
export function holdsStill(change: Change, standing: Standing | undefined): boolean {
  if (standing?.open === true) return false;
  const settled = standing?.settled;
  const { object: ref, resourceVersion: version } = change;
  if (change.prune !== true) return !isPassed({ ref, version }, settled);
  return settled === undefined || settled.gone || BigInt(settled.version) <= BigInt(version);
}
