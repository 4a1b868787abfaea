import { findOnPath } from '../lib/find-on-path.ts';
import { startChild } from '../lib/child-process.ts';
import { withProgress } from '../lib/progress.ts';

const SERVERS = ['redis-server', 'valkey-server'];

/** How each system installs it, without questions. The first whose command is on the PATH is used. */
const INSTALLERS: { command: string; steps: string[][] }[] = [
  {
    command: 'apt-get',
    steps: [
      ['update', '-q'],
      ['install', '-y', '-q', '--no-install-recommends', 'redis-server'],
    ],
  },
  { command: 'apk', steps: [['add', '--no-progress', 'redis']] },
  { command: 'dnf', steps: [['install', '-y', '-q', 'valkey']] },
  { command: 'brew', steps: [['install', '--quiet', 'redis']] },
];

/** `redis-server` or `valkey-server` from the PATH; installs one where this user may; else says how. */
export async function findRedisServer(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const find = (): string | undefined =>
    SERVERS.map((name) => findOnPath(name, env) ?? findOnPath(name, { PATH: '/usr/sbin:/usr/local/sbin' })).find(
      Boolean,
    );
  const found = find();
  if (found !== undefined) return found;
  const reason = await install(env);
  const installed = find();
  if (installed !== undefined) return installed;
  throw new Error(
    `Found no ${SERVERS.join(' or ')}${reason}.\n` +
      'Install one (Debian: apt-get install redis-server; Fedora: dnf install valkey; macOS: brew install redis), or set REDIS_URL to a running server.',
  );
}

/** Returns why it could not install anything, `''` when it could. */
async function install(env: NodeJS.ProcessEnv): Promise<string> {
  const installer = INSTALLERS.find(({ command }) => findOnPath(command, env) !== undefined);
  if (installer === undefined) return '';
  const mayInstall = installer.command === 'brew' || process.getuid?.() === 0;
  if (!mayInstall) return ` and may not install one (${installer.command} needs root)`;
  for (const args of installer.steps) {
    const what = `installing a Redis server: ${installer.command} ${args.join(' ')}`;
    process.stderr.write(`No ${SERVERS.join(' or ')} on the PATH; ${what}\n`);
    const result = await withProgress(what, async () => {
      const child = await startChild({
        name: installer.command,
        command: installer.command,
        args,
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      });
      return { ...(await child.exited), tail: child.tail(10) };
    });
    if (result.code !== 0 && args[0] !== 'update')
      return `; ${installer.command} could not install one:\n${result.tail}\n`;
  }
  return '';
}
