import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEnvironment, EnvironmentError } from './environment.ts';

export const SETTINGS = Symbol('SETTINGS');

/** The process's settings, checked and with their defaults. Held by the app alone; libraries get what they need as options. */
export interface Settings {
  kubeconfig: string | undefined;
  redisUrl: string;
  queuePrefix: string;
  webhook: { port: number; host: string; url: string | undefined; service: string };
  http: { port: number; host: string };
  podNamespace: string;
  instanceName: string;
  dataDir: string;
  allowFileUrls: boolean;
  logLevel: string;
  /** How often cluster and repository are compared, in ms; 0: only where the annotation asks for it. */
  resyncIntervalMs: number;
  /** Whether changes that no call announced are watched for. */
  backstop: boolean;
  /** How much is held in memory while Redis is away. */
  spill: { maxRecords: number; maxBytes: number };
  /** How long a replica that was told to end still answers admission calls, in ms. */
  shutdownGraceMs: number;
}

/** Settings that may come from a file, as Secrets are mounted: `<NAME>_FILE` holds its path. */
const FROM_FILE = ['REDIS_URL'];

/**
 * The only reader of the process's environment. `checkKubeconfig` says what is wrong with KUBECONFIG, so that this stands in the same list.
 * @throws EnvironmentError that lists every mistake.
 */
export function loadSettings(
  env: Record<string, string | undefined>,
  checkKubeconfig: (path: string | undefined) => string | undefined = () => undefined,
): Settings {
  const files = readFiles(env);
  const { environment: values, problems } = checkEnvironment({ ...env, ...files.values });
  const kubeconfig = checkKubeconfig(values.KUBECONFIG);
  const all = [
    ...files.problems,
    ...problems.map((problem) => namingFile(problem, files.values)),
    ...(kubeconfig === undefined ? [] : [`KUBECONFIG: ${kubeconfig}`]),
  ];
  if (all.length > 0) throw new EnvironmentError(all);
  const dataDir = values.DATA_DIR ?? join(tmpdir(), 'gitops-reverser', values.INSTANCE_NAME);
  return {
    kubeconfig: values.KUBECONFIG,
    redisUrl: values.REDIS_URL,
    queuePrefix: values.QUEUE_PREFIX,
    webhook: {
      port: values.WEBHOOK_PORT,
      host: values.WEBHOOK_HOST,
      url: values.WEBHOOK_URL?.replace(/\/+$/, ''),
      service: values.WEBHOOK_SERVICE,
    },
    http: { port: values.HTTP_PORT, host: values.HTTP_HOST },
    podNamespace: values.POD_NAMESPACE,
    instanceName: values.INSTANCE_NAME,
    dataDir,
    allowFileUrls: values.ALLOW_FILE_URLS,
    logLevel: values.LOG_LEVEL,
    resyncIntervalMs: milliseconds(values.RESYNC_INTERVAL),
    backstop: values.BACKSTOP,
    spill: { maxRecords: values.SPILL_MAX_RECORDS, maxBytes: values.SPILL_MAX_BYTES },
    shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS * 1000,
  };
}

function readFiles(env: Record<string, string | undefined>): { values: Record<string, string>; problems: string[] } {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of FROM_FILE) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    try {
      const text = readFileSync(path, 'utf8').trim();
      if (text === '') problems.push(`${name}_FILE names a file that is empty.`);
      else values[name] = text;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      problems.push(`${name}_FILE names a file that can't be read (${code}).`);
    }
  }
  return { values, problems };
}

/** A mistake in what a file holds is looked for in the variable otherwise. */
function namingFile(problem: string, fromFiles: Record<string, string>): string {
  const name = Object.keys(fromFiles).find((each) => problem.startsWith(`${each} `));
  return name === undefined ? problem : problem.replace(name, `${name}, read from ${name}_FILE,`);
}

/** Makes the clone cache's folder. A failure is not fatal here: each repository's condition tells it. */
export function prepareDataDir(settings: Settings): string | undefined {
  try {
    mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
    return undefined;
  } catch (error) {
    return `DATA_DIR can't be created (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`;
  }
}

/** `30s`, `10m`, `1h` or `0` in ms. */
function milliseconds(text: string): number {
  const unit = { s: 1_000, m: 60_000, h: 3_600_000 }[text.at(-1) ?? ''] ?? 1;
  return parseInt(text, 10) * unit;
}
