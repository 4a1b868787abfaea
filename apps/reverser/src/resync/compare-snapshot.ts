import type { Change, ObjectRef } from '#domain';

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
