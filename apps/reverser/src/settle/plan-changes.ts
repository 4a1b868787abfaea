import { repositoryKeyText } from '#domain';
import type { Change, ObjectRef, RepositoryKey } from '#domain';
import type { LedgerEntry, Proof, ProvenChange, Watchers, Withheld } from '#ledger';

/** The live object as the settler sees it. */
export interface LiveView {
  ref: ObjectRef;
  version: string;
  content: string;
  managers: string[];
  /** It is being deleted. */
  dying?: boolean;
  /** Repositories whose rules select it, whoever writes. */
  watchers: Watchers;
}

/** A change and the repositories that get it. */
export interface RoutedChange {
  change: Change;
  repositories: RepositoryKey[];
}

/** A proven change that can't be written: its content was never seen. */
export interface UnseenChange {
  uid: string;
  version: string;
}

/** Turns proven changes into the jobs of repositories, in version order. Pure. */
export function planChanges(
  proof: Proof,
  entry: LedgerEntry,
  live: LiveView | undefined,
  now: number,
): { changes: RoutedChange[]; unseen: UnseenChange[] } {
  const changes: RoutedChange[] = [];
  const unseen: UnseenChange[] = [];
  for (const proven of proof.changes) {
    if (proven.kind === 'persisted' && proven.attempt.wantedBy.length === 0) continue;
    const planned =
      proven.kind === 'persisted' ? planPersisted(proven, entry, live) : planObserved(proven, entry, live, now);
    if (planned === undefined) unseen.push({ uid: uidOf(proven), version: proven.version });
    else if (planned.repositories.length > 0) changes.push(planned);
  }
  const touched = planTouched(proof, entry, live, now);
  if (touched !== undefined) changes.push(touched);
  return { changes, unseen };
}

/** Which repositories the newest content was kept from, because its writer is excluded from their rules. Pure. */
export function withheldAfter(proof: Proof, entry: LedgerEntry, live: LiveView | undefined): Withheld | undefined {
  const last = proof.changes.at(-1);
  if (live === undefined) return undefined;
  if (last === undefined) return entry.withheld?.uid === live.ref.uid ? entry.withheld : undefined;
  if (last.kind === 'observed' || last.attempt.object.uid !== live.ref.uid) return undefined;
  const wanted = new Set(last.attempt.wantedBy.map(repositoryKeyText));
  const from = live.watchers.UPDATE.map(repositoryKeyText).filter((repository) => !wanted.has(repository));
  return from.length === 0 ? undefined : { uid: live.ref.uid, from };
}

function planPersisted(
  proven: Extract<ProvenChange, { kind: 'persisted' }>,
  entry: LedgerEntry,
  live: LiveView | undefined,
): RoutedChange | undefined {
  const { attempt, version, converted, alsoRequestedBy } = proven;
  const asked = entry.contents.get(attempt.id);
  const stored = converted === undefined ? undefined : contentAt(version, converted.content, entry, live);
  const content = attempt.operation === 'DELETE' ? null : (stored ?? asked);
  if (content === undefined) return undefined;
  const change: Change = {
    eventId: attempt.id,
    origin: 'admitted',
    operation: attempt.operation,
    object: attempt.object,
    user: attempt.user,
    alsoRequestedBy,
    admittedAt: attempt.admittedAt,
    resourceVersion: version,
    content,
    managers: [],
  };
  return { change, repositories: attempt.wantedBy };
}

function planObserved(
  proven: Extract<ProvenChange, { kind: 'observed' }>,
  entry: LedgerEntry,
  live: LiveView | undefined,
  now: number,
): RoutedChange | undefined {
  const { uid, version, operation } = proven;
  const isLive = live?.ref.uid === uid;
  const repositories = hearersOf(proven, entry, live);
  const content = operation === 'DELETE' ? null : contentAt(version, proven.content, entry, live);
  if (content === undefined) return undefined;
  const managers = isLive && live.version === version ? live.managers : [];
  return { change: observedChange({ ...entry.object, uid }, version, operation, content, managers, now), repositories };
}

/** An older state may have been selected though the live one is not: then those hear of it who wanted what came next. */
function hearersOf(
  { uid, version, operation }: Extract<ProvenChange, { kind: 'observed' }>,
  entry: LedgerEntry,
  live: LiveView | undefined,
): RepositoryKey[] {
  const watchers = live?.ref.uid === uid ? live.watchers[operation] : watchersOf(uid, entry)[operation];
  if (operation === 'DELETE' || live?.ref.uid !== uid || live.version === version || watchers.length > 0)
    return watchers;
  const next = entry.view.attempts.find(
    ({ object, base, wantedBy }) => object.uid === uid && base === version && wantedBy.length > 0,
  );
  return next?.wantedBy ?? watchersOf(uid, entry)[operation];
}

/** A look that somebody asked for: the live state is committed, unless it is known to be what was settled before. */
function planTouched(
  proof: Proof,
  entry: LedgerEntry,
  live: LiveView | undefined,
  now: number,
): RoutedChange | undefined {
  if (!entry.touched || live === undefined || live.dying === true || live.watchers.UPDATE.length === 0)
    return undefined;
  const settled = entry.view.settled;
  const known = settled?.uid === live.ref.uid || proof.changes.some((change) => uidOf(change) === live.ref.uid);
  if (known) return undefined;
  const change = observedChange(live.ref, live.version, 'UPDATE', live.content, live.managers, now);
  return { change, repositories: live.watchers.UPDATE };
}

function observedChange(
  object: ObjectRef,
  version: string,
  operation: 'UPDATE' | 'DELETE',
  content: string | null,
  managers: string[],
  now: number,
): Change {
  return {
    // The version that was deleted may have been observed before: its removal is another event.
    eventId: `observed/${object.uid}/${version}${operation === 'DELETE' ? '/deleted' : ''}`,
    origin: 'observed',
    operation,
    object,
    user: '',
    alsoRequestedBy: [],
    admittedAt: now,
    resourceVersion: version,
    content,
    managers,
  };
}

function contentAt(
  version: string,
  digest: string,
  entry: LedgerEntry,
  live: LiveView | undefined,
): string | undefined {
  return live?.version === version ? live.content : entry.contents.get(digest);
}

function watchersOf(uid: string, entry: LedgerEntry): Watchers {
  if (entry.view.settled?.uid === uid) return entry.watchers;
  const wanted = entry.view.attempts.findLast(({ object, wantedBy }) => object.uid === uid && wantedBy.length > 0);
  return wanted === undefined ? entry.watchers : { UPDATE: wanted.wantedBy, DELETE: wanted.wantedBy };
}

function uidOf(proven: ProvenChange): string {
  return proven.kind === 'persisted' ? proven.attempt.object.uid : proven.uid;
}
