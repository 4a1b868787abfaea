import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis as RedisClient } from 'ioredis';
import type { Stage } from './e2e-stage.ts';
import { configMap } from './e2e-stage.ts';
import type { Commit, GitRemote } from './git-remote.ts';
import type { LiveObject } from './kube.ts';
import type { Operator } from './operator.ts';
import { startOperator } from './operator.ts';
import type { Redis } from './redis.ts';
import type { WaitOptions } from '../../tools/lib/wait-for.ts';
import { waitFor } from './wait-for.ts';

/** What was written, by object: `user version` of each write, oldest first. */
export type History = Record<string, string[]>;

/** Writes ConfigMaps as users, and notes who wrote which version. */
export class Diary {
  readonly history: History = {};
  private count = 0;

  constructor(
    private readonly stage: Pick<Stage, 'cluster'>,
    private readonly scene: { namespace: string },
  ) {}

  get size(): number {
    return Object.values(this.history).reduce((sum, lines) => sum + lines.length, 0);
  }

  /** Creates the ConfigMap, or changes it; other fields of `data` come on top of a counter. */
  async write(user: string, name: string, data: Record<string, string> = {}): Promise<LiveObject> {
    const lines = (this.history[name] ??= []);
    const map = configMap(this.scene, name, { step: String(++this.count), ...data });
    const as = this.stage.cluster.asUser(user);
    const live = lines.length === 0 ? await as.create(map) : await as.patch(map, { data: map['data'] });
    lines.push(`${user} ${live.metadata.resourceVersion}`);
    return live;
  }

  /** Forgets writes that nobody recorded. */
  leaveOut(name: string): void {
    delete this.history[name];
  }
}

/** The same as the commits tell it; commits by people are left out, those without a known author are under `observed`. */
export function historyOf(commits: Commit[]): History {
  const history: History = {};
  for (const { message, author } of commits) {
    const [, subject = ''] = /^(\[[A-Z]+\] .*)/.exec(message) ?? [];
    if (subject === '') continue;
    const [, name] = /^\[(?:CREATE|UPDATE|DELETE)\] ConfigMap\/(\S+) /.exec(subject) ?? [];
    const [, version = '?'] = /^- Resource Version: (\d+)$/m.exec(message) ?? [];
    if (name === undefined) (history['observed'] ??= []).push(subject);
    else (history[name] ??= []).push(`${author.name} ${version}`);
  }
  return history;
}

/** Waits until the branch has as many commits of ours as the diary has writes, and returns what they tell. */
export async function historyWhenWritten(
  diary: Diary,
  scene: { commits(): Promise<Commit[]> },
  options: WaitOptions = {},
): Promise<History> {
  const written = async (): Promise<Commit[]> =>
    (await scene.commits()).filter(({ message }) => message.startsWith('['));
  await waitFor(`${diary.size} commits`, async () => (await written()).length >= diary.size, options).catch(
    async (error: unknown) => {
      throw new Error(`${(error as Error).message}:\n${difference(diary.history, historyOf(await written()))}`, {
        cause: error,
      });
    },
  );
  return historyOf(await scene.commits());
}

/** What only one of them has, by object. */
function difference(expected: History, seen: History): string {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(seen)])];
  return names
    .flatMap((name) => {
      const [wanted, got] = [expected[name] ?? [], seen[name] ?? []];
      return [
        [`${name} lacks`, wanted.filter((line) => !got.includes(line))] as const,
        [`${name} has unexpectedly`, got.filter((line) => !wanted.includes(line))] as const,
      ];
    })
    .filter(([, lines]) => lines.length > 0)
    .map(([what, lines]) => `${what} ${lines.length} of them: ${lines.slice(0, 10).join(', ')}`)
    .join('\n');
}

/** Installs a hook in the bare repository; without a script, removes what it did. */
export async function setHook(remote: GitRemote, name: 'pre-receive' | 'post-receive', script = ''): Promise<void> {
  await writeFile(join(remote.dir, 'hooks', name), `#!/bin/sh\ncd ${remote.dir}\n${script}\nexit 0\n`, { mode: 0o755 });
}

/** Another process of the same installation, on the same ports and data; with changed settings where they are given. */
export function startAgain(stage: Stage, env: Record<string, string> = {}): Promise<Operator> {
  return startOperator({
    kubeconfig: stage.cluster.kubeconfigFor('admin'),
    redisUrl: stage.redis.url,
    env: { ...stage.operator.env, ...env },
  });
}

/** Looks into Redis as a person with redis-cli would. */
export async function withRedis<T>(redis: Redis, look: (client: RedisClient) => Promise<T>): Promise<T> {
  const client = new RedisClient(redis.url, { lazyConnect: true });
  client.on('error', () => undefined);
  try {
    return await look(client);
  } finally {
    client.disconnect();
  }
}

/** How many attempts wait in the ledger for a verdict. */
export function countAttempts(redis: Redis, operator: Operator): Promise<number> {
  return withRedis(redis, async (client) => {
    const keys = await client.keys(`${operator.env['QUEUE_PREFIX']}:ledger:*`);
    const fields = await Promise.all(keys.map((key) => client.hkeys(key)));
    return fields.flat().filter((field) => field.startsWith('a:')).length;
  });
}

/** How many changes wait in the queue of a repository, or are being written. */
export function countQueued(redis: Redis, operator: Operator, repository: string): Promise<number> {
  return withQueue(redis, operator, repository, async (queue) =>
    Object.values(await queue.getJobCounts('waiting', 'active')).reduce((sum, count) => sum + count, 0),
  );
}

/** `repository` is `namespace/name`. */
export function withQueue<T>(
  redis: Redis,
  operator: Operator,
  repository: string,
  look: (queue: Queue) => Promise<T>,
): Promise<T> {
  return withRedis(redis, async (connection) => {
    await connection.connect();
    const prefix = String(operator.env['QUEUE_PREFIX']);
    const queue = new Queue(`repository.${repository.replace('/', '.')}`, { connection, prefix });
    try {
      return await look(queue);
    } finally {
      await queue.close();
    }
  });
}

/** Says a measured number in the test run's output. */
export function tell(what: string, figure: string): void {
  process.stdout.write(`    ${what}: ${figure}\n`);
}
