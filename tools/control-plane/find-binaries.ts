import { join } from 'node:path';
import { findOnPath, isExecutable } from '../lib/find-on-path.ts';
import { buildWithGo } from './build-with-go.ts';
import { cacheFolder, withCacheLock } from './cache-folder.ts';
import { downloadEnvtest } from './download-envtest.ts';
import { pinnedVersion, type Program } from './versions.ts';

/** Full paths of the programs. */
export type Binaries = Record<Program, string>;

/**
 * Finds or makes the programs of a control plane, in this order: `KUBEBUILDER_ASSETS`, the cache, envtest's official
 * download, `go build` from the pinned sources. kubectl may also come from the PATH. Later calls are quick.
 */
export async function findBinaries(env: NodeJS.ProcessEnv = process.env): Promise<Binaries> {
  const assets = env['KUBEBUILDER_ASSETS'] ?? '';
  if (assets !== '') return findInAssets(assets, env);
  const folder = cacheFolder(env);
  const cached = lookIn(folder, env);
  if (cached.missing.length === 0) return cached.found as Binaries;
  return withCacheLock(folder, async () => {
    const before = lookIn(folder, env); // another process may have filled it meanwhile
    if (before.missing.length > 0) await fill(folder, before.missing, env);
    return lookIn(folder, env).found as Binaries;
  });
}

function findInAssets(assets: string, env: NodeJS.ProcessEnv): Binaries {
  const { found, missing } = lookIn(assets, env);
  if (missing.length > 0) {
    throw new Error(`KUBEBUILDER_ASSETS=${assets} holds no ${missing.join(', ')}. Correct it, or unset it.`);
  }
  return found as Binaries;
}

function lookIn(folder: string, env: NodeJS.ProcessEnv): { found: Partial<Binaries>; missing: Program[] } {
  const found: Partial<Binaries> = {};
  const missing: Program[] = [];
  for (const program of ['etcd', 'kube-apiserver', 'kubectl'] as const) {
    const file = join(folder, program);
    const path = isExecutable(file) ? file : program === 'kubectl' ? findOnPath('kubectl', env) : undefined;
    if (path === undefined) missing.push(program);
    else found[program] = path;
  }
  return { found, missing };
}

async function fill(folder: string, missing: Program[], env: NodeJS.ProcessEnv): Promise<void> {
  const reasons: string[] = [];
  try {
    await downloadEnvtest(pinnedVersion('kube-apiserver'), folder);
    return;
  } catch (error) {
    reasons.push(`download: ${(error as Error).message}`);
  }
  const go = findOnPath('go', env);
  if (go === undefined) {
    throw new Error(
      [
        `A local control plane needs ${missing.join(', ')}, which are not here and could not be fetched.`,
        'Do one of these:',
        '  - set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl (setup-envtest makes one);',
        '  - install Go 1.26 or newer: they are then built once from source, in a few minutes;',
        `  - put the programs into ${folder}.`,
        ...reasons.map((reason) => `(${reason})`),
      ].join('\n'),
    );
  }
  for (const program of missing) await buildWithGo(go, program, folder);
}
