import { GitError } from './git-error.ts';

/** Runs an operation on the data directory; a failure of the file system becomes a GitError. */
export async function guardDataDir<T>(folder: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new GitError(
        'DiskFull',
        `The disk of the data directory is full (${code}): give DATA_DIR more room, or empty it.`,
        error,
      );
    }
    throw new GitError(
      'DataDirUnwritable',
      `The data directory can not be used (${code} at ${folder}): make DATA_DIR a writable folder of the operator.`,
      error,
    );
  }
}
