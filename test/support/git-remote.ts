export { createGitRemote } from '../../tools/git-remote/index.ts';
export type { Commit, GitRemote, PersonalCommit } from '../../tools/git-remote/index.ts';
