import { startOperator, type LogEntry, type Operator } from '../operator/index.ts';
import { startBalancer, type Balancer } from './balancer.ts';

export interface ReplicasOptions {
  count: number;
  kubeconfig: string;
  redisUrl: string;
  /** Settings that all of them share. */
  env?: Record<string, string>;
}

/** Replicas of one operator behind one address. */
export interface Replicas {
  readonly instanceName: string;
  readonly queuePrefix: string;
  /** Those that run or ran, by number. */
  readonly current: readonly Operator[];
  readonly count: number;
  /** kill -9. */
  kill(index: number): Promise<void>;
  /** Starts a killed one again, on its ports and its data; returns once it is ready. */
  start(index: number): Promise<void>;
  /** Admission calls, as counted by the replicas; what one counted since it was last asked goes with it. */
  calls(): Promise<number>;
  /** What they said of an object, oldest first. */
  about(kind: string, name: string): string[];
  /** What each one warned of, how often, when first and when last. */
  warnings(): string[];
  remove(): Promise<void>;
}

const POLL_MS = 250;
const CALLS = /^gitops_reverser_events_received_total\{[^}]*\} (\d+)/gm;

export async function startReplicas(options: ReplicasOptions): Promise<Replicas> {
  const started: Operator[] = [];
  const current: Operator[] = [];
  const ready: boolean[] = [];
  const counted = new Map<Operator, number>();
  const balancer: Balancer = await startBalancer(() =>
    current.map((operator, index) => ({
      port: Number(operator.env['WEBHOOK_PORT']),
      ready: () => ready[index] === true,
    })),
  );
  const start = async (index: number, env: Record<string, string>): Promise<void> => {
    const { kubeconfig, redisUrl } = options;
    const operator = await startOperator({ kubeconfig, redisUrl, env: { ...env, WEBHOOK_URL: balancer.url } });
    started.push(operator);
    current[index] = operator;
    ready[index] = true;
  };
  const poll = async (): Promise<void> => {
    await Promise.all(
      current.map(async (operator, index) => {
        const isReady = await operator.isReady();
        if (current[index] === operator) ready[index] = isReady;
        const metrics = await operator.metrics().catch(() => '');
        const calls = [...metrics.matchAll(CALLS)].reduce((sum, [, count]) => sum + Number(count), 0);
        if (calls > 0) counted.set(operator, calls);
      }),
    );
  };
  const shared = { SHUTDOWN_GRACE_SECONDS: '0', RESYNC_INTERVAL: '10s', ...options.env };
  const end = async (): Promise<void> => {
    clearInterval(polling);
    await Promise.all(started.map((operator) => operator.remove()));
    await balancer.close();
  };
  const polling = setInterval(() => void poll(), POLL_MS);
  try {
    await start(0, shared);
    const { INSTANCE_NAME = '', QUEUE_PREFIX = '' } = current[0]!.env;
    for (let index = 1; index < options.count; index++) await start(index, { ...shared, INSTANCE_NAME, QUEUE_PREFIX });
    return {
      instanceName: INSTANCE_NAME,
      queuePrefix: QUEUE_PREFIX,
      current,
      count: options.count,
      kill: async (index) => {
        ready[index] = false;
        await current[index]!.kill();
      },
      start: async (index) => start(index, { ...current[index]!.env }),
      calls: async () => {
        await poll();
        return [...counted.values()].reduce((sum, count) => sum + count, 0);
      },
      about: (kind, name) =>
        started
          .flatMap((operator, index) =>
            entriesAbout(operator, kind, name).map((entry): LogEntry => ({ ...entry, index })),
          )
          .sort((a, b) => String(a['time']).localeCompare(String(b['time'])))
          .map((entry) => JSON.stringify(entry)),
      warnings: () => started.flatMap((operator, index) => warningsOf(operator).map((line) => `#${index} ${line}`)),
      remove: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function entriesAbout({ log }: Operator, kind: string, name: string): LogEntry[] {
  return log.filter((entry) => entry['kind'] === kind && entry['name'] === name);
}

function warningsOf({ log }: Operator): string[] {
  const groups = new Map<string, string[]>();
  for (const entry of log) {
    if (entry.level !== 'warn' && entry.level !== 'error') continue;
    const { msg, error = '', queue = '' } = entry as { msg: string; error?: string; queue?: string };
    const text = [msg, queue, error].filter((part) => part !== '').join(': ');
    groups.set(text, [...(groups.get(text) ?? []), String(entry['time'])]);
  }
  return [...groups].map(([text, times]) => `${times.length}× ${times[0]} to ${times.at(-1)}: ${text.slice(0, 200)}`);
}
