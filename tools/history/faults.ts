import { rename } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../lib/wait-for.ts';
import type { Random } from './random.ts';
import type { Replicas } from './replicas.ts';
import type { Stage } from './stage.ts';

export const FAULTS = ['kill', 'redis', 'git', 'person', 'pause', 'hang'] as const;
/**
 * `kill`: kill -9 of a replica. `redis`: kill -9 of Redis. `git`: the Git host is away. `person`: somebody pushes other files.
 * `pause`: a replica stops (SIGSTOP) and wakes up. `hang`: Redis does.
 */
export type Fault = (typeof FAULTS)[number];

const READY_MS = 60_000;
/** What was held in memory while Redis was away has reached it after this: a kill before would lose what nobody can know of. */
const AFTER_REDIS_MS = 3_000;

/**
 * Causes one fault after the other until the signal, each with its recovery: two at once may lose what the design says it
 * loses (a record in a replica's memory while Redis is away, when that replica is killed).
 */
export async function causeFaults(
  stage: Stage,
  { faults, everyMs }: { faults: readonly Fault[]; everyMs: number | undefined },
  random: Random,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Record<Fault, number>> {
  const caused: Record<Fault, number> = { kill: 0, redis: 0, git: 0, person: 0, pause: 0, hang: 0 };
  if (faults.length === 0) return caused;
  let start = Date.now();
  for (let number = 0; !signal.aborted; number++) {
    await quiet(everyMs === undefined ? random.between(1_000, 5_000) : start + everyMs - Date.now(), signal);
    start = Date.now();
    if (signal.aborted) break;
    // Each of them once at first, so that a short run has seen all.
    const fault = number < faults.length ? faults[number]! : random.pick(faults);
    say(`${new Date().toISOString()} fault: ${fault}`);
    await cause[fault](stage, random, number);
    caused[fault] += 1;
  }
  return caused;
}

const cause: Record<Fault, (stage: Stage, random: Random, number: number) => Promise<void>> = {
  kill: async ({ replicas }, random, number) => {
    const index = number % replicas.count;
    await nothingHeld(replicas);
    await replicas.kill(index);
    await pause(random.between(0, 2_000));
    await replicas.start(index);
  },
  redis: async ({ redis }, random) => {
    await redis.kill();
    await pause(random.between(0, 2_500));
    await redis.start();
    await pause(AFTER_REDIS_MS);
  },
  git: async ({ remote }, random) => {
    const away = `${remote.dir}.away`;
    await rename(remote.dir, away);
    await pause(random.between(500, 5_000));
    await rename(away, remote.dir);
  },
  pause: async ({ replicas }, random, number) => {
    await nothingHeld(replicas);
    const { wake } = pauseProcess(replicas.current[number % replicas.count]!.pid);
    await pause(random.between(500, 12_000));
    wake();
  },
  hang: async ({ redis }, random) => {
    const { wake } = pauseProcess(redis.pid());
    await pause(random.between(200, 3_000));
    wake();
    await pause(AFTER_REDIS_MS);
  },
  person: async ({ remote }, _random, number) => {
    // Between the operator's own pushes a person may have to try more than once.
    await waitFor('a person to push', () => pushAsPerson(remote, number), { timeoutMs: READY_MS });
  },
};

/** A replica that is lost while it holds records in memory loses them: two faults at once, which is known and said. */
async function nothingHeld(replicas: Replicas): Promise<void> {
  const holding = async (): Promise<boolean> => {
    const metrics = await Promise.all(replicas.current.map((operator) => operator.metrics().catch(() => '')));
    return metrics.some((text) => /^gitops_reverser_held_records(\{[^}]*\})? [1-9]/m.test(text));
  };
  await waitFor('all records to be in Redis', async () => !(await holding()), { timeoutMs: READY_MS });
}

function pauseProcess(pid: number): { wake: () => void } {
  process.kill(pid, 'SIGSTOP');
  return { wake: () => void process.kill(pid, 'SIGCONT') };
}

async function pushAsPerson(remote: Stage['remote'], number: number): Promise<boolean> {
  await remote.commitAsPerson({ message: `Note ${number}`, files: { [`notes/${number}.md`]: `Note ${number}\n` } });
  await remote.commitAsPerson({ branch: `idea-${number}`, message: 'An idea', files: { 'idea.md': 'An idea\n' } });
  return true;
}

async function quiet(ms: number, signal: AbortSignal): Promise<void> {
  await pause(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}
