import { repositoryKeyText } from '#domain';
import type { Attempt, Change, ObjectRef, RepositoryKey } from '#domain';
import { alternativeText, stateText } from '#ledger';
import type { LedgerEntry, Proof, ProvenChange, Watchers, Withheld } from '#ledger';

/** The live object as the settler sees it. */
export interface LiveView {
  ref: ObjectRef;
  version: string;
  /** Undefined where no file can hold it. */
  content: string | undefined;
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

type Observed = Extract<ProvenChange, { kind: 'observed' }>;

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
    if (planned === undefined)
      unseen.push({
        uid: proven.kind === 'persisted' ? proven.attempt.object.uid : proven.uid,
        version: proven.version,
      });
    else if (planned.repositories.length > 0) changes.push(planned);
  }
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
  const stored =
    converted === undefined
      ? undefined
      : (contentAt(version, converted.content, entry, live) ?? alternativeOf(attempt, converted.content, entry));
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

function alternativeOf({ id, target }: Attempt, digest: string, entry: LedgerEntry): string | undefined {
  return target.alternative === digest ? entry.contents.get(alternativeText(id)) : undefined;
}

function planObserved(
  proven: Observed,
  entry: LedgerEntry,
  live: LiveView | undefined,
  now: number,
): RoutedChange | undefined {
  const { uid, version, operation } = proven;
  const content = operation === 'DELETE' ? null : contentAt(version, proven.content, entry, live);
  if (content === undefined) return undefined;
  const isLive = live?.ref.uid === uid && live.version === version;
  const change: Change = {
    // The version that was deleted may have been observed before: its removal is another event.
    eventId: `observed/${uid}/${version}${operation === 'DELETE' ? '/deleted' : ''}`,
    origin: 'observed',
    operation,
    object: { ...entry.object, uid },
    user: '',
    alsoRequestedBy: [],
    admittedAt: proven.writtenAt ?? now,
    resourceVersion: version,
    content,
    managers: isLive ? live.managers : [],
    ...(proven.presumed === true && { presumed: true }),
  };
  return { change, repositories: hearersOf(proven, entry, live) };
}

/** An older state may have been selected though the live one is not: then those hear of it who wanted what came next. */
function hearersOf(
  { uid, version, operation }: Observed,
  entry: LedgerEntry,
  live: LiveView | undefined,
): RepositoryKey[] {
  const isLive = live?.ref.uid === uid;
  const watchers = isLive ? live.watchers[operation] : watchersOf(uid, entry)[operation];
  if (operation === 'DELETE' || (isLive && live.version === version) || watchers.length > 0) return watchers;
  const next = entry.view.attempts.find(
    ({ object, base, wantedBy }) => object.uid === uid && base === version && wantedBy.length > 0,
  );
  return next?.keptBy ?? next?.wantedBy ?? watchersOf(uid, entry)[operation];
}

function contentAt(
  version: string,
  digest: string,
  entry: LedgerEntry,
  live: LiveView | undefined,
): string | undefined {
  return live?.version === version ? live.content : entry.contents.get(stateText({ version, content: digest }));
}

/** Who hears of what nobody announced about an object that is not live: as of its last look, else as of the last call. */
function watchersOf(uid: string, entry: LedgerEntry): Watchers {
  if (entry.view.settled?.uid === uid) return entry.watchers;
  const wanted = entry.view.attempts.findLast(
    ({ object, wantedBy, keptBy = [] }) => object.uid === uid && wantedBy.length + keptBy.length > 0,
  );
  if (wanted === undefined) return entry.watchers;
  return { UPDATE: wanted.keptBy ?? wanted.wantedBy, DELETE: wanted.wantedBy };
}
