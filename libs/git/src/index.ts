export type { BranchHistory, ForeignTouch, HistoryCommit } from './branch-history.ts';
export { blobId } from './blob-id.ts';
export { classifyFailure, type CommandFailure } from './classify-failure.ts';
export { commitMessage } from './commit-message.ts';
export { COMMIT_SIGHTINGS, InMemoryCommitSightings, type CommitSightings } from './commit-sightings.ts';
export { GIT_ERRORS, GitError, type GitErrorCode } from './git-error.ts';
export { GitModule, type GitModuleAsyncOptions, type GitModuleExtras } from './git.module.ts';
export type { GitOptions } from './git-options.ts';
export { GitRepositories } from './git-repositories.ts';
export {
  GitRepository,
  type ProbeResult,
  type RepositoryFiles,
  type WriteOptions,
  type WriteResult,
} from './git-repository.ts';
export { objectPath } from './object-path.ts';
export { parseCredentials, type GitCredentials } from './parse-credentials.ts';
export { parseRepositoryUrl, type RepositoryUrl } from './parse-repository-url.ts';
export {
  planCommits,
  type CommitPlan,
  type Decision,
  type PlannedCommit,
  type PlanInput,
  type TreeEntry,
} from './plan-commits.ts';
