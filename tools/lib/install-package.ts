import { startChild } from './child-process.ts';
import { findOnPath } from './find-on-path.ts';
import { withProgress } from './progress.ts';

type PackageManager = 'apt-get' | 'apk' | 'dnf' | 'brew';

export interface Installation {
  /** For messages: `a Redis server`. */
  what: string;
  /** What each system calls it; where one is missing, that system is not asked. */
  packages: Partial<Record<PackageManager, string>>;
}

/** How each system installs without questions. The first whose command is on the PATH is used. */
const STEPS: Record<PackageManager, (name: string) => string[][]> = {
  'apt-get': (name) => [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', name],
  ],
  apk: (name) => [['add', '--no-progress', name]],
  dnf: (name) => [['install', '-y', '-q', name]],
  brew: (name) => [['install', '--quiet', name]],
};

/** Installs a package where this user may. Returns why it could not, to go on a sentence with; `''` when it could. */
export async function installPackage(
  { what, packages }: Installation,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const manager = (Object.keys(STEPS) as PackageManager[]).find((command) => findOnPath(command, env) !== undefined);
  const name = manager && packages[manager];
  if (manager === undefined || name === undefined) return ' and know no way to install one here';
  const mayInstall = manager === 'brew' || process.getuid?.() === 0;
  if (!mayInstall) return ` and may not install one (${manager} needs root)`;
  for (const args of STEPS[manager](name)) {
    const title = `installing ${what}: ${manager} ${args.join(' ')}`;
    process.stderr.write(`Found no ${what.replace(/^an? /, '')}; ${title}\n`);
    const result = await withProgress(title, async () => {
      const childEnv = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
      const child = await startChild({ name: manager, command: manager, args, env: childEnv });
      return { ...(await child.exited), tail: child.tail(10) };
    });
    if (result.code !== 0 && args[0] !== 'update') return `; ${manager} could not install one:\n${result.tail}\n`;
  }
  return '';
}
