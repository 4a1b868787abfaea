import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild, type Child, type ExitStatus } from '../lib/child-process.ts';
import { httpStatus } from '../lib/http-status.ts';
import { retryOnTakenPort } from '../lib/retry-on-taken-port.ts';
import { makeTempDir, removeTempDir } from '../lib/temp-dir.ts';
import { waitFor, type WaitOptions } from '../lib/wait-for.ts';
import { waitUntilReady } from '../lib/wait-until-ready.ts';

export interface OperatorOptions {
  kubeconfig: string;
  redisUrl: string;
  /** Settings that differ from this harness's own; see the README's table. */
  env?: Record<string, string>;
  /** `false`: return as soon as the process runs, for tests of what keeps it from being ready. */
  waitUntilReady?: boolean;
  /** A command that runs the command after it, such as `['unshare', '--mount']`. */
  wrapper?: string[];
}

/** One line of its log. */
export interface LogEntry {
  msg: string;
  /** `info`, `warn`, … */
  level: string;
  [field: string]: unknown;
}

/** The built operator as a process of its own. */
export interface Operator {
  readonly pid: number;
  readonly instanceName: string;
  /** `http://…` of /livez, /readyz and /metrics. */
  readonly httpUrl: string;
  /** `https://…` of the admission server. */
  readonly webhookUrl: string;
  readonly dataDir: string;
  /** Its settings: another replica of it is started with the same QUEUE_PREFIX and INSTANCE_NAME. */
  readonly env: Record<string, string>;
  readonly log: readonly LogEntry[];
  readonly exited: Promise<ExitStatus>;
  /** Waits for a log entry, old or new, by its message or by a predicate. */
  waitForLog(wanted: string | ((entry: LogEntry) => boolean), options?: WaitOptions): Promise<LogEntry>;
  metrics(): Promise<string>;
  isReady(): Promise<boolean>;
  /** What it printed last, for error messages. */
  tail(lines?: number): string;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM; it answers webhook calls for a while before it ends, as in a cluster. */
  stop(): Promise<ExitStatus>;
  /** kill -9. */
  kill(): Promise<ExitStatus>;
  /** kill -9, and removes its data. */
  remove(): Promise<void>;
}

/** Where `npm run build` puts it. */
const OPERATOR_MAIN = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'reverser', 'src', 'main.js');
export const OPERATOR_NAMESPACE = 'gitops-reverser-system';
const STOP_GRACE_MS = 30_000;

export async function startOperator(options: OperatorOptions): Promise<Operator> {
  if (!existsSync(OPERATOR_MAIN)) throw new Error(`${OPERATOR_MAIN} is not there: run "npm run build" first`);
  const home = await makeTempDir('operator');
  const dataDir = join(home, 'data');
  await mkdir(dataDir);
  const unique = `gitops-reverser-${randomBytes(4).toString('hex')}`;
  try {
    return await retryOnTakenPort(2, async ([webhookPort, httpPort]) => {
      const webhookUrl = `https://127.0.0.1:${webhookPort}`;
      const env: Record<string, string> = {
        KUBECONFIG: options.kubeconfig,
        REDIS_URL: options.redisUrl,
        QUEUE_PREFIX: unique,
        INSTANCE_NAME: unique,
        POD_NAMESPACE: OPERATOR_NAMESPACE,
        WEBHOOK_HOST: '127.0.0.1',
        WEBHOOK_PORT: String(webhookPort),
        WEBHOOK_URL: webhookUrl,
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: String(httpPort),
        DATA_DIR: dataDir,
        ALLOW_FILE_URLS: 'true',
        RESYNC_INTERVAL: '0', // a test sees what it causes, not what was there before
        ...options.env,
      };
      return launch(env, home, options);
    });
  } catch (error) {
    await removeTempDir(home);
    throw error;
  }
}

async function launch(
  env: Record<string, string>,
  home: string,
  { waitUntilReady: untilReady = true, wrapper = [] }: OperatorOptions,
): Promise<Operator> {
  const log: LogEntry[] = [];
  const [command = process.execPath, ...args] = [...wrapper, process.execPath, OPERATOR_MAIN];
  const child = await startChild({
    name: 'gitops-reverser',
    command,
    args,
    cwd: home,
    env: { PATH: process.env['PATH'], HOME: home, TMPDIR: process.env['TMPDIR'], NODE_ENV: 'production', ...env },
    onLine: (line) => {
      const entry = parseEntry(line);
      if (entry !== undefined) log.push(entry);
    },
  });
  const httpUrl = `http://127.0.0.1:${env['HTTP_PORT']}`;
  const isReady = (): Promise<boolean> => httpStatus(`${httpUrl}/readyz`).then((status) => status === 200);
  if (untilReady) {
    try {
      await waitUntilReady(child, isReady, 30_000);
    } catch (error) {
      await child.kill();
      throw error;
    }
  }
  return describe({ child, env, home, log, httpUrl, isReady });
}

function parseEntry(line: string): LogEntry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<LogEntry> | null;
    return typeof entry === 'object' && entry !== null
      ? { ...entry, msg: entry.msg ?? '', level: entry.level ?? '' }
      : undefined;
  } catch {
    return undefined; // a line that is no log entry stays visible in tail()
  }
}

interface Parts {
  child: Child;
  env: Record<string, string>;
  home: string;
  log: LogEntry[];
  httpUrl: string;
  isReady: () => Promise<boolean>;
}

function describe({ child, env, home, log, httpUrl, isReady }: Parts): Operator {
  return {
    pid: child.pid,
    instanceName: env['INSTANCE_NAME']!,
    httpUrl,
    webhookUrl: env['WEBHOOK_URL']!,
    dataDir: env['DATA_DIR']!,
    env,
    log,
    exited: child.exited,
    waitForLog: (wanted, options) => {
      const matches = typeof wanted === 'string' ? (entry: LogEntry) => entry.msg.includes(wanted) : wanted;
      const what = typeof wanted === 'string' ? JSON.stringify(wanted) : 'an entry';
      return waitFor(`${what} in the operator's log`, () => log.find(matches), options).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}\nIts last lines:\n${child.tail()}`, { cause: error });
      });
    },
    metrics: async () => (await fetch(`${httpUrl}/metrics`)).text(),
    isReady: () => isReady().catch(() => false),
    tail: (lines) => child.tail(lines),
    signal: (signal) => child.signal(signal),
    stop: () => child.stop(STOP_GRACE_MS),
    kill: () => child.kill(),
    remove: async () => {
      await child.kill();
      await removeTempDir(home);
    },
  };
}
