import type { ExpectedChange } from './expect-history.ts';

/** What one commit of ours did to one file. */
export interface FileCommit {
  sha: string;
  path: string;
  /** `null`: removed. */
  content: string | null;
  /** `[RESYNC] …`: no author. */
  observed: boolean;
  operation: string;
  author: string;
  alsoRequestedBy: string[];
  eventIds: string[];
  resourceVersion: string | undefined;
}

export type DeviationKind = 'missing' | 'invented' | 'wrong author' | 'wrong order' | 'wrong content' | 'duplicate';

export interface Deviation {
  kind: DeviationKind;
  path: string;
  text: string;
  version: string | undefined;
}

export interface Comparison {
  deviations: Deviation[];
  /** Changes that are in Git by their author. */
  matched: number;
  /** Required changes that appear as observed: the webhook did not hear of them. */
  observed: number;
  /**
   * Required changes that were not heard of and that no commit of their own tells: part of the next observed commit, or gone
   * without a trace where a deletion came next; and deletions that an excluded user had asked for in vain.
   */
  merged: number;
  /** Excluded users' states that a comparison brought into Git. */
  excludedObserved: number;
  /** Deletions whose author is one of several that can't be told apart, the right one named in the message. */
  ties: number;
}

/** Compares what was persisted with what is in Git, object by object. Pure. */
export function compareHistory(
  expected: ReadonlyMap<string, ExpectedChange[]>,
  commits: readonly FileCommit[],
  emailOf: (user: string) => string,
): Comparison {
  const result: Comparison = { deviations: [], matched: 0, observed: 0, merged: 0, excludedObserved: 0, ties: 0 };
  const byPath = new Map<string, FileCommit[]>();
  for (const commit of commits) byPath.set(commit.path, [...(byPath.get(commit.path) ?? []), commit]);
  for (const path of new Set([...expected.keys(), ...byPath.keys()])) {
    comparePath(path, expected.get(path) ?? [], byPath.get(path) ?? [], emailOf, result);
  }
  return result;
}

function comparePath(
  path: string,
  changes: ExpectedChange[],
  commits: FileCommit[],
  emailOf: (user: string) => string,
  result: Comparison,
): void {
  const say = (kind: DeviationKind, text: string, version?: string): void => {
    result.deviations.push({ kind, path, text, version });
  };
  const fits = (change: ExpectedChange, commit: FileCommit): number => {
    if (change.content !== commit.content) return 0;
    // Where an excluded user's state is the same as one that must be told, the commit is that one's.
    if (commit.observed) return change.demand === 'excluded' ? 1 : 2;
    if (change.operation !== commit.operation || change.demand === 'unheard') return 0;
    if (change.demand === 'excluded') return isAuthor(change, commit, emailOf) === 'tie' ? 1 : 0;
    return isAuthor(change, commit, emailOf) === 'no' ? 2 : 3;
  };
  const pairs = align(changes, commits, fits);
  const commitOf = new Map(pairs);
  const paired = new Set(pairs.map(([, commit]) => commit));
  changes.forEach((change, index) => {
    const commit = commitOf.get(change);
    if (commit !== undefined) judgePair(change, commit, emailOf, result, say);
    else if (change.demand === 'required') {
      if (mayBeAnothers(change) || isMerged(changes.slice(index), commitOf)) result.merged += 1;
      else say('missing', describeChange(change), change.version);
    }
  });
  const seen = new Set<string>();
  for (const commit of commits) {
    const again = commit.eventIds.find((id) => !id.startsWith('observed/') && seen.has(id));
    for (const id of commit.eventIds) seen.add(id);
    if (paired.has(commit)) continue;
    const kind = again === undefined ? kindOfUnpaired(changes, commitOf, commit) : 'duplicate';
    say(kind, describeCommit(commit), commit.resourceVersion);
  }
}

/**
 * A deletion has no content by which it could be known: one that was not heard of is credited to whoever else asked for it in
 * vain, and is nobody's commit where that user is excluded.
 */
function mayBeAnothers({ operation, failedOpen }: ExpectedChange): boolean {
  return operation === 'DELETE' && failedOpen;
}

/** Whether the first of these changes, which was not heard of, is part of what the next one told: see {@link Comparison.merged}. */
function isMerged([change, ...later]: ExpectedChange[], commitOf: ReadonlyMap<ExpectedChange, FileCommit>): boolean {
  if (change?.failedOpen !== true) return false;
  const end = later.findIndex(({ operation }) => operation === 'DELETE');
  const told = (end < 0 ? later : later.slice(0, end)).find((each) => commitOf.has(each));
  return told === undefined ? end >= 0 : commitOf.get(told)?.observed === true;
}

function judgePair(
  change: ExpectedChange,
  commit: FileCommit,
  emailOf: (user: string) => string,
  result: Comparison,
  say: (kind: DeviationKind, text: string, version?: string) => void,
): void {
  if (commit.observed) {
    if (change.demand === 'excluded') result.excludedObserved += 1;
    else result.observed += 1;
    if (change.demand === 'required' && !change.failedOpen)
      say('wrong author', `${describeChange(change)} was heard of, but ${describeCommit(commit)}`, change.version);
    return;
  }
  const verdict = isAuthor(change, commit, emailOf);
  if (verdict === 'no') say('wrong author', `${describeChange(change)}, but ${describeCommit(commit)}`, change.version);
  else result.matched += 1;
  if (verdict === 'tie') result.ties += 1;
}

function isAuthor(change: ExpectedChange, commit: FileCommit, emailOf: (user: string) => string): 'yes' | 'tie' | 'no' {
  if (mayBeAnothers(change)) return 'yes';
  if (change.authors.length === 0 || change.authors.some((user) => emailOf(user) === commit.author)) return 'yes';
  return change.authors.some((user) => commit.alsoRequestedBy.includes(user)) ? 'tie' : 'no';
}

function kindOfUnpaired(
  changes: ExpectedChange[],
  commitOf: ReadonlyMap<ExpectedChange, FileCommit>,
  commit: FileCommit,
): DeviationKind {
  const same = changes.filter((change) => change.content === commit.content && change.demand !== 'excluded');
  if (same.some((change) => !commitOf.has(change))) return 'wrong order';
  const version = commit.resourceVersion;
  const there = changes.some((change) => change.version === version && !commitOf.has(change));
  return there ? 'wrong content' : 'invented';
}

/** Pairs in order, of the greatest total weight: the longest common history. */
function align<A, B>(left: readonly A[], right: readonly B[], weight: (a: A, b: B) => number): [A, B][] {
  const width = right.length + 1;
  const best = new Float64Array((left.length + 1) * width);
  const weights = left.map((a) => right.map((b) => weight(a, b)));
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const pair = weights[i]![j]! > 0 ? weights[i]![j]! + best[(i + 1) * width + j + 1]! : 0;
      best[i * width + j] = Math.max(pair, best[(i + 1) * width + j]!, best[i * width + j + 1]!);
    }
  }
  const pairs: [A, B][] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    const here = best[i * width + j]!;
    const paired = weights[i]![j]! > 0 && here === weights[i]![j]! + best[(i + 1) * width + j + 1]!;
    if (paired) pairs.push([left[i++]!, right[j++]!]);
    else if (here === best[(i + 1) * width + j]) i++;
    else j++;
  }
  return pairs;
}

function describeChange({ operation, version, authors, demand }: ExpectedChange): string {
  return `${operation} at version ${version} by ${authors.join(' or ') || 'somebody'} (${demand})`;
}

function describeCommit(commit: FileCommit): string {
  const what = `${commit.observed ? 'RESYNC ' : ''}${commit.content === null ? 'DELETE' : commit.operation}`;
  return `commit ${commit.sha.slice(0, 10)} says ${what} at version ${commit.resourceVersion ?? '?'} by ${commit.author} (${commit.eventIds.join(', ')})`;
}
