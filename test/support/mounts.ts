import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onlyWhere } from './only-where.ts';

const run = promisify(execFile);
const TYPE = ['-t', 'tmpfs', '-o'];

/** A small file system of its own. */
export interface Mount {
  /** `rw` or `ro`. */
  remount(option: string): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts a file system in memory on a folder that exists. `options` are those of tmpfs(5): `size=256k`, `ro`. */
export async function mountOn(folder: string, options: string): Promise<Mount> {
  await run('mount', [...TYPE, options, 'reverser-test', folder]);
  return {
    remount: async (option) => void (await run('mount', ['-o', `remount,${option}`, folder])),
    unmount: async () => void (await run('umount', ['-l', folder])),
  };
}

/** For tests that need {@link mountOn}: `withMounts().it('…')`. Only root may mount, and in many containers not even root. */
export const withMounts = (): ReturnType<typeof onlyWhere> =>
  onlyWhere(mayMount() ? undefined : 'this user may not mount a file system');

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'reverser-mount-'));
  try {
    execFileSync('mount', [...TYPE, 'size=64k', 'reverser-test', folder], { stdio: 'ignore' });
    execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}
