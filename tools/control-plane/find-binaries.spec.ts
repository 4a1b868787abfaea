import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cacheFolder } from './cache-folder.ts';
import { findBinaries } from './find-binaries.ts';

describe('findBinaries', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'find-binaries-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function putPrograms(folder: string, ...names: string[]): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const name of names) {
      await writeFile(join(folder, name), '');
      await chmod(join(folder, name), 0o755);
    }
  }

  it('takes what KUBEBUILDER_ASSETS holds, before the cache', async () => {
    const assets = join(dir, 'assets');
    const env = { KUBEBUILDER_ASSETS: assets, XDG_CACHE_HOME: dir };
    await putPrograms(assets, 'etcd', 'kube-apiserver', 'kubectl');
    await putPrograms(cacheFolder(env), 'etcd', 'kube-apiserver', 'kubectl');
    expect(await findBinaries(env)).toEqual({
      etcd: join(assets, 'etcd'),
      'kube-apiserver': join(assets, 'kube-apiserver'),
      kubectl: join(assets, 'kubectl'),
    });
  });

  it('says what is missing from KUBEBUILDER_ASSETS, and does not look elsewhere', async () => {
    await putPrograms(dir, 'kubectl');
    await expect(findBinaries({ KUBEBUILDER_ASSETS: dir })).rejects.toThrow(/holds no etcd, kube-apiserver/);
  });

  it('takes what the cache holds, and kubectl from the PATH', async () => {
    const env = { XDG_CACHE_HOME: dir, PATH: join(dir, 'bin') };
    await putPrograms(cacheFolder(env), 'etcd', 'kube-apiserver');
    await putPrograms(join(dir, 'bin'), 'kubectl', 'etcd');
    expect(await findBinaries(env)).toEqual({
      etcd: join(cacheFolder(env), 'etcd'),
      'kube-apiserver': join(cacheFolder(env), 'kube-apiserver'),
      kubectl: join(dir, 'bin', 'kubectl'),
    });
  });
});
