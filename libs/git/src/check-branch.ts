import { GitError } from './git-error.ts';

/** Checks a branch name by the rules of git-check-ref-format(1). @throws {GitError} BranchInvalid */
export function checkBranch(branch: string): string {
  const bad =
    branch === '' ||
    branch === '@' ||
    branch === 'HEAD' ||
    branch.startsWith('-') ||
    branch.endsWith('.') ||
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{/.test(branch) ||
    branch.split('/').some((part) => part === '' || part.startsWith('.') || part.endsWith('.lock')) ||
    Buffer.byteLength(branch) > 244; // as the custom resource says: with refs/heads/ the 255 bytes of a file name
  if (bad) throw new GitError('BranchInvalid', 'spec.branch is no valid branch name: see git-check-ref-format(1).');
  return branch;
}
