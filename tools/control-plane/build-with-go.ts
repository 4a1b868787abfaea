import { mkdtemp, rename, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../lib/child-process.ts';
import { withProgress } from '../lib/progress.ts';
import { PROGRAMS, goModuleFolder, pinnedVersion, type Program } from './versions.ts';

/** The version that the program reports, set at link time as Kubernetes' own build does; without it, it says v0.0.0. */
function linkerFlags(program: Program): string {
  if (PROGRAMS[program].module !== 'kubernetes') return '-s -w';
  const version = pinnedVersion(program);
  const [major, minor] = version.split('.');
  const name = 'k8s.io/component-base/version';
  return `-s -w -X ${name}.gitVersion=v${version} -X ${name}.gitMajor=${major} -X ${name}.gitMinor=${minor}`;
}

/** Compiles a program from its pinned, checksummed sources and moves it into the folder in one step. */
export async function buildWithGo(go: string, program: Program, folder: string): Promise<void> {
  const work = await mkdtemp(join(folder, `.building-${program}-`));
  const version = pinnedVersion(program);
  const what = `building ${program} ${version} with go on ${cpus().length} cores (the first time this takes minutes)`;
  try {
    await withProgress(what, async () => {
      const args = [
        'build',
        '-trimpath',
        '-buildvcs=false',
        '-ldflags',
        linkerFlags(program),
        '-o',
        join(work, program),
      ];
      const child = await startChild({
        name: `go build ${program}`,
        command: go,
        args: [...args, PROGRAMS[program].package],
        cwd: goModuleFolder(program),
        env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
      });
      const { code, signal } = await child.exited;
      if (code !== 0) {
        throw new Error(`go build of ${program} ended with ${signal ?? `code ${code}`}:\n${child.tail(20)}`);
      }
    });
    await rename(join(work, program), join(folder, program));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
