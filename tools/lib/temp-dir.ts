import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tellReaper } from './reaper.ts';

/** A new folder in the system's temporary folder, readable by this user only, that is gone when this process is. */
export async function makeTempDir(purpose: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `gitops-reverser-${purpose}-`));
  tellReaper('dir', dir);
  return dir;
}

export async function removeTempDir(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  tellReaper('removed', dir);
}
