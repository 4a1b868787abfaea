import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findSshd } from './find-sshd.ts';
import { onlyWhere } from './only-where.ts';

const run = promisify(execFile);

/** A real sshd on a free port of the loopback interface, with one key that may run Git commands. */
export interface SshServer {
  port: number;
  user: string;
  /** The `ssh://` URL of a path on this machine. */
  url(path: string): string;
  privateKey: string;
  /** The right line for a known_hosts file. */
  knownHosts: string;
  /** A key that the server does not know. */
  strangersKey: string;
  /** A known_hosts line for this server with a key that is not its own. */
  wrongKnownHosts: string;
  /** Withdraws the key, or gives it back. */
  allowKey(allowed: boolean): Promise<void>;
  stop(): Promise<void>;
}

export interface SshServerOptions {
  /** Runs instead of each command that a client asks for (which is in SSH_ORIGINAL_COMMAND). */
  forceCommand?: string;
}

const SSHD = findSshd();

/** For tests that need an sshd: `withSshd().it('…')`. */
export const withSshd = (): ReturnType<typeof onlyWhere> =>
  onlyWhere(SSHD === undefined ? 'there is no sshd; install openssh-server' : undefined);

/** @throws where this machine has no sshd: see {@link withSshd} */
export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  if (SSHD === undefined) throw new Error('there is no sshd; install openssh-server');
  const folder = await mkdtemp(join(tmpdir(), 'reverser-sshd-'));
  for (const name of ['host', 'other-host', 'user', 'stranger']) {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
  }
  const publicKey = async (name: string): Promise<string> =>
    (await readFile(join(folder, `${name}.pub`), 'utf8')).trim();
  const authorizedKeys = join(folder, 'authorized_keys');
  const force = options.forceCommand === undefined ? '' : `command="${options.forceCommand.replace(/"/g, '\\"')}" `;
  const allowKey = async (allowed: boolean): Promise<void> => {
    await writeFile(authorizedKeys, allowed ? `${force}${await publicKey('user')}\n` : '', { mode: 0o600 });
  };
  await allowKey(true);
  const port = await freePort();
  const config = join(folder, 'sshd_config');
  await writeFile(
    config,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${authorizedKeys}`,
      `PidFile ${join(folder, 'pid')}`,
      'StrictModes no', // the system's temporary folder may be anybody's
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'UseDNS no',
      'LogLevel ERROR',
      'PermitUserEnvironment no',
      'PrintMotd no',
      'MaxStartups 100',
      'SetEnv GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1',
      '',
    ].join('\n'),
  );
  // Debian's sshd wants this folder; it is made at boot, which a container does not have.
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 }).catch(() => undefined);
  const server = spawn(SSHD, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const stop = async (): Promise<void> => {
    if (server.pid !== undefined && server.exitCode === null && server.signalCode === null) {
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(port, () => server.exitCode === null);
  } catch (error) {
    await stop();
    throw new Error(`sshd did not start: ${said}`, { cause: error });
  }
  const user = userInfo().username;
  return {
    port,
    user,
    url: (path) => `ssh://${user}@127.0.0.1:${port}${path}`,
    privateKey: await readFile(join(folder, 'user'), 'utf8'),
    strangersKey: await readFile(join(folder, 'stranger'), 'utf8'),
    knownHosts: `[127.0.0.1]:${port} ${await publicKey('host')}\n`,
    wrongKnownHosts: `[127.0.0.1]:${port} ${await publicKey('other-host')}\n`,
    allowKey,
    stop,
  };
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilListening(port: number, alive: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const connected = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (connected) return;
    if (!alive() || Date.now() > deadline) throw new Error('nobody listens');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
