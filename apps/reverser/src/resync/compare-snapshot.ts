import type { Change, ObjectRef } from '#domain';
import type { SettledMark } from '#ledger';

/** One selected object as listed, rendered as its file would be. */
export interface SnapshotItem {
  ref: ObjectRef;
  path: string;
  /** Git's id of the file's text. */
  blob: string;
  content: string;
  version: string;
  managers: string[];
  /** When the object was last written, in ms since the epoch: what a person committed later is drift. */
  changedAt: number;
}

/** The items whose file is missing or differs. */
export function differing(items: SnapshotItem[], files: ReadonlyMap<string, string>): SnapshotItem[] {
  return items.filter((item) => files.get(item.path) !== item.blob);
}

/**
 * Whether more was decided about the name than the list shows: the object is gone, changed, or another bears its name. The
 * events of that are queued already, and the listed state behind them would bring back what they removed.
 */
export function isPassed({ ref, version }: Pick<SnapshotItem, 'ref' | 'version'>, settled?: SettledMark): boolean {
  if (settled === undefined) return false;
  if (settled.uid === ref.uid && settled.gone) return true;
  return BigInt(settled.version) > BigInt(version);
}

/** What a listed state becomes in the repository's queue. */
export function observedState(item: SnapshotItem, listedAt: number): Change {
  return {
    eventId: `observed/${item.ref.uid}/${item.version}`,
    origin: 'observed',
    operation: 'UPDATE',
    object: item.ref,
    user: '',
    alsoRequestedBy: [],
    admittedAt: item.changedAt,
    resourceVersion: item.version,
    content: item.content,
    managers: item.managers,
    listedAt,
  };
}
