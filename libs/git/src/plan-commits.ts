import type { Change, ChangeVerdict, Identity, RepositoryTarget } from '#domain';
import type { BranchHistory, HistoryCommit } from './branch-history.ts';
import { blobId } from './blob-id.ts';
import { authorOf, writtenEventId } from './commit-message.ts';
import { objectPath } from './object-path.ts';

/** What stands at a path of the tree that the plan starts from. */
export type TreeEntry = { kind: 'file'; blob: string } | { kind: 'blocked'; by: string };

/** A commit as it will be written; `content: null` removes the file. */
export interface PlannedCommit {
  files: { path: string; content: string | null }[];
  author: Identity;
  committer: Identity;
  /** Seconds since the epoch. */
  authorTime: number;
  /** Seconds since the epoch; never before the parent's. */
  committerTime: number;
  changes: Change[];
}

/** What the plan says of one change, in the order of the batch. */
export type Decision = { kind: 'commit'; commit: number } | { kind: 'verdict'; verdict: ChangeVerdict };

export interface PlanInput {
  changes: readonly Change[];
  target: RepositoryTarget;
  history: BranchHistory;
  tree: ReadonlyMap<string, TreeEntry>;
  /** Committer date of the tip, seconds; undefined for a new repository. */
  tipTime: number | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

export interface CommitPlan {
  commits: PlannedCommit[];
  decisions: Decision[];
}

interface PathState {
  blob: string | undefined;
  lastWrite?: { commit: number; change: Change };
}

/**
 * Decides what becomes of each change of a batch on top of a known tip: a commit of its own, or none because it is in
 * Git already, changes nothing, or a person's newer commit to its path wins. Observed changes that follow each other
 * share a commit. Pure: the same input plans the same commits.
 */
export function planCommits(input: PlanInput): CommitPlan {
  const plan: CommitPlan = { commits: [], decisions: [] };
  const states = new Map<string, PathState>();
  const time = Math.max(Math.floor(input.now / 1000), input.tipTime ?? 0);
  for (const change of input.changes) {
    const path = objectPath(change.object, input.target.path);
    const state = states.get(path) ?? { blob: blobAt(input.tree.get(path)) };
    states.set(path, state);
    const reason = reasonToSkip(change, path, state, input);
    if (reason !== undefined) {
      plan.decisions.push(reason);
      continue;
    }
    const commit = addToPlan(plan, change, path, input.target, time);
    state.blob = change.content === null ? undefined : blobId(change.content);
    state.lastWrite = { commit, change };
    plan.decisions.push({ kind: 'commit', commit });
  }
  return plan;
}

function reasonToSkip(change: Change, path: string, state: PathState, input: PlanInput): Decision | undefined {
  const { eventId } = change;
  const done = input.history.committed(writtenEventId(eventId), path);
  // A listed state that was written once may have to be written again: what stands there now decides.
  if (done !== undefined && change.listedAt === undefined)
    return { kind: 'verdict', verdict: { result: 'duplicate', eventId, sha: done } };
  const again = state.lastWrite;
  if (again?.change.eventId === eventId) return { kind: 'commit', commit: again.commit };
  const foreign = input.history.foreignTouch(path);
  // A commit's date has whole seconds; in the same second the cluster wins.
  if (foreign !== undefined && foreign.time > Math.floor(change.admittedAt / 1000)) {
    return { kind: 'verdict', verdict: { result: 'stale', eventId, sha: foreign.sha } };
  }
  const keeper = change.prune === true ? input.history.lastForeign(path) : undefined;
  if (keeper !== undefined) return { kind: 'verdict', verdict: { result: 'stale', eventId, sha: keeper } };
  if (isOvertaken(change, path, state, input.history))
    return { kind: 'verdict', verdict: { result: 'unchanged', eventId } };
  const entry = input.tree.get(path);
  if (entry?.kind === 'blocked' && change.content !== null) {
    const message = `${entry.by} stands where ${path} is to be written: move it, or give the repository another spec.path.`;
    return { kind: 'verdict', verdict: { result: 'refused', eventId, code: 'PathConflict', message } };
  }
  const wanted = change.content === null ? undefined : blobId(change.content);
  return wanted === state.blob ? { kind: 'verdict', verdict: { result: 'unchanged', eventId } } : undefined;
}

/**
 * Git holds a newer version from us already. That is so when a batch comes again after a crash and a change of it had
 * needed no commit, for a late DELETE of an old object whose name a newer one took, and for a listed state that an event
 * has passed.
 */
function isOvertaken(change: Change, path: string, state: PathState, history: BranchHistory): boolean {
  const { lastWrite } = state;
  if (lastWrite !== undefined) {
    const { object, content, resourceVersion } = lastWrite.change;
    const same = object.uid === change.object.uid;
    // What has gone does not come back: a list that still shows it is older than its end.
    if (same && content === null && isShown(change)) return true;
    return (!same || isShown(change)) && isPassed(change, resourceVersion);
  }
  const own = history.lastOwn(path);
  if (own === undefined) return false;
  // Both must say so: after a restore of etcd, versions go backwards while time does not.
  // A listed state is only overtaken by what was written after the list: before a restore, later versions were written.
  const later =
    change.listedAt === undefined
      ? own.authorTime >= Math.floor(change.admittedAt / 1000)
      : own.time >= Math.floor(change.listedAt / 1000);
  // Which of the objects of this name was removed is not known: one that came after is looked at by itself.
  const removed = change.listedAt !== undefined && own.paths.get(path)?.removed === true;
  return later && (removed || isPassed(change, versionIn(own, change.object.uid)));
}

/** A state that somebody saw, not an event: what is decided about the object since tells more. */
function isShown({ listedAt, presumed }: Change): boolean {
  return listedAt !== undefined || presumed === true;
}

function versionIn(commit: HistoryCommit, uid: string): string {
  const observed = commit.eventIds.find((id) => id.startsWith(`observed/${uid}/`));
  return commit.resourceVersion ?? observed?.slice(`observed/${uid}/`.length) ?? '';
}

function addToPlan(plan: CommitPlan, change: Change, path: string, target: RepositoryTarget, time: number): number {
  const file = { path, content: change.content };
  const last = plan.commits.at(-1);
  const shared =
    change.origin === 'observed' &&
    last?.changes[0]?.origin === 'observed' &&
    !last.files.some((other) => other.path === path);
  if (shared) {
    last.files.push(file);
    last.changes.push(change);
    return plan.commits.length - 1;
  }
  plan.commits.push({
    files: [file],
    author: authorOf(change, target),
    committer: target.committer,
    authorTime: change.origin === 'observed' ? time : Math.max(0, Math.floor(change.admittedAt / 1000)),
    committerTime: time,
    changes: [change],
  });
  return plan.commits.length - 1;
}

function blobAt(entry: TreeEntry | undefined): string | undefined {
  return entry?.kind === 'file' ? entry.blob : undefined;
}

/** A state that was seen is passed by a commit of its own version too: that may be the object's removal. */
function isPassed(change: Change, other: string): boolean {
  return isLower(change.resourceVersion, other) || (isShown(change) && change.resourceVersion === other);
}

function isLower(version: string, other: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(other) && BigInt(version) < BigInt(other);
}
