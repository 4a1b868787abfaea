import { connect } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild, type Child } from '../lib/child-process.ts';
import { retryOnTakenPort } from '../lib/retry-on-taken-port.ts';
import { makeTempDir, removeTempDir } from '../lib/temp-dir.ts';
import { waitUntilReady } from '../lib/wait-until-ready.ts';
import { findRedisServer } from './find-redis-server.ts';

export interface RedisOptions {
  /** `always`: nothing acknowledged is lost in a crash. `everysec`: up to a second is. Absent: memory only. */
  appendfsync?: 'always' | 'everysec';
  /** A free one by default. */
  port?: number;
  /** More arguments for the server, such as `--maxmemory 20mb`. */
  extraArgs?: string[];
}

/** A Redis server of one's own, on loopback, with faults on request. */
export interface Redis {
  readonly url: string;
  readonly port: number;
  pid(): number;
  /** Ends it as an operator of Redis would; data that is to be kept is written first. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again after {@link stop} or {@link kill}: same port, same data folder. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const command = await findRedisServer();
  const dir = await makeTempDir('redis');
  await mkdir(join(dir, 'data'));
  const launch = (port: number): Promise<Child> => launchRedis(command, port, join(dir, 'data'), options);
  const { first, port } = await launchFirst(launch, options.port).catch(async (error: unknown) => {
    await removeTempDir(dir);
    throw error;
  });
  let child = first;
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => child.pid,
    stop: async () => void (await child.stop()),
    kill: async () => void (await child.kill()),
    start: async () => {
      if (child.status === undefined) throw new Error('This Redis still runs');
      child = await launch(port);
    },
    remove: async () => {
      await child.kill();
      await removeTempDir(dir);
    },
  };
}

async function launchFirst(
  launch: (port: number) => Promise<Child>,
  fixed: number | undefined,
): Promise<{ first: Child; port: number }> {
  if (fixed !== undefined) return { first: await launch(fixed), port: fixed };
  return retryOnTakenPort(1, async ([port]) => ({ first: await launch(port!), port: port! }));
}

async function launchRedis(command: string, port: number, dir: string, options: RedisOptions): Promise<Child> {
  const persistence = options.appendfsync
    ? ['--appendonly', 'yes', '--appendfsync', options.appendfsync]
    : ['--appendonly', 'no'];
  const child = await startChild({
    name: 'redis',
    command,
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--daemonize', 'no'],
      ...['--maxmemory-policy', 'noeviction', ...persistence, ...(options.extraArgs ?? [])],
    ],
  });
  try {
    await waitUntilReady(child, () => answersPing(port));
  } catch (error) {
    await child.kill();
    throw error;
  }
  return child;
}

/** True once the server answers PONG, or asks for a password: not while it still loads its append-only file. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'));
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(/^(\+PONG|-NOAUTH)/.test(data.toString('latin1')));
    });
  });
}
