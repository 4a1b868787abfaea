export { createGitRemote } from '../../tools/git-remote/index.ts';
export type { Commit, GitRemote } from '../../tools/git-remote/index.ts';
