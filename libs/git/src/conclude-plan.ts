import type { Change, ChangeVerdict, RepositoryTarget } from '#domain';
import type { HistoryCommit } from './branch-history.ts';
import { writtenEventId } from './commit-message.ts';
import type { Decision, PlannedCommit } from './plan-commits.ts';

/** What the caller is told of a change, once the planned commits are pushed. */
export function verdictOf(decision: Decision, change: Change, shas: readonly string[]): ChangeVerdict {
  switch (decision.kind) {
    case 'verdict':
      return decision.verdict;
    case 'commit':
      return { result: 'committed', eventId: change.eventId, sha: shas[decision.commit] ?? '' };
  }
}

/** A pushed commit as the history will know it. */
export function asHistory(
  commit: PlannedCommit,
  shas: readonly string[],
  index: number,
  base: string | undefined,
): HistoryCommit {
  const parent = index === 0 ? base : shas[index - 1];
  const [only] = commit.changes;
  return {
    sha: shas[index] ?? '',
    parents: parent === undefined ? [] : [parent],
    time: commit.committerTime,
    authorTime: commit.authorTime,
    ours: true,
    eventIds: commit.changes.map((change) => writtenEventId(change.eventId)),
    ...(commit.changes.length === 1 && only !== undefined ? { resourceVersion: only.resourceVersion } : {}),
    paths: new Map(commit.files.map((file) => [file.path, { removed: file.content === null }])),
  };
}

/** A commit without files, only ever pushed where it can't take effect. */
export function innocuousCommit(target: RepositoryTarget): PlannedCommit {
  return {
    files: [],
    author: target.committer,
    committer: target.committer,
    authorTime: 0,
    committerTime: 0,
    changes: [],
  };
}
