import { findOnPath } from '../lib/find-on-path.ts';
import { installPackage, type Installation } from '../lib/install-package.ts';

const SERVERS = ['redis-server', 'valkey-server'];

const INSTALLATION: Installation = {
  what: 'a Redis server',
  packages: { 'apt-get': 'redis-server', apk: 'redis', dnf: 'valkey', brew: 'redis' },
};

/** `redis-server` or `valkey-server` from the PATH; installs one where this user may; else says how. */
export async function findRedisServer(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const find = (): string | undefined =>
    SERVERS.map((name) => findOnPath(name, env) ?? findOnPath(name, { PATH: '/usr/sbin:/usr/local/sbin' })).find(
      Boolean,
    );
  const found = find();
  if (found !== undefined) return found;
  const reason = await installPackage(INSTALLATION, env);
  const installed = find();
  if (installed !== undefined) return installed;
  throw new Error(
    `Found no ${SERVERS.join(' or ')}${reason}.\n` +
      'Install one (Debian: apt-get install redis-server; Fedora: dnf install valkey; macOS: brew install redis), or set REDIS_URL to a running server.',
  );
}
