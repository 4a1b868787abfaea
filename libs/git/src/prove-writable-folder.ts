import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { GitError } from './git-error.ts';
import type { RepositoryUrl } from './parse-repository-url.ts';

/** A dry run does not try to write: for a file:// remote the folder's mode is asked. @throws {GitError} PushNotPermitted */
export async function proveWritableFolder(url: RepositoryUrl): Promise<void> {
  const path = decodePath(url.path);
  for (const folder of [path, join(path, '.git')]) {
    try {
      await access(join(folder, 'objects'), constants.W_OK);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw new GitError(
        'PushNotPermitted',
        'The folder of the file:// repository can not be written by the operator: correct its owner or mode.',
        error,
      );
    }
  }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path); // as git does
  } catch {
    return path;
  }
}
