import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../lib/wait-for.ts';
import { pinnedVersion } from './versions.ts';

/** Outside the checkout, so that a fresh clone needs no second build. Both pinned versions and the platform name it. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'] ?? '';
  const versions = `${pinnedVersion('kube-apiserver')}-etcd-${pinnedVersion('etcd')}`;
  const cache = base.startsWith('/') ? base : join(homedir(), '.cache');
  return join(cache, 'gitops-reverser', 'control-plane', `${versions}-${process.platform}-${process.arch}`);
}

/** Two processes that both find the cache empty must not both build: the second waits for the first. */
export async function withCacheLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true });
  const lock = join(folder, '.lock');
  await waitFor(`the lock ${lock} (another process prepares the control plane)`, () => tryLock(lock), {
    timeoutMs: 60 * 60_000,
    intervalMs: 500,
  });
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (owner > 0 && !isRunning(owner)) await rm(lock, { force: true }); // it died; try again at the next look
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
