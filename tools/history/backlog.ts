import { rename } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ADMIN } from '../control-plane/index.ts';
import { waitFor } from '../lib/wait-for.ts';
import { applyConfigMap } from './apply-config-map.ts';
import { judgeHistory, type Judgement } from './judge-history.ts';
import { KINDS } from './kinds.ts';
import { startObserver } from './observer.ts';
import { setStage, startHistoryCluster, type HistoryCluster, type Stage } from './stage.ts';
import { untilDrained } from './until-drained.ts';
import { USERS } from './workload.ts';
import { WriteClient } from './write-client.ts';

const CONFIG_MAPS = KINDS[0];
const OBJECTS = 16;

process.exit(await main());

/** Many changes while the Git host is away: all of them in Git in order once it is back, and the webhook as quick as before. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { events: { type: 'string', default: '10000' } } });
  const controlPlane = await startHistoryCluster();
  try {
    return await play(controlPlane, Number(values.events));
  } finally {
    await controlPlane.stop();
  }
}

async function play(controlPlane: HistoryCluster, events: number): Promise<number> {
  const stage = await setStage(controlPlane, 'backlog', { replicas: 1, kinds: [CONFIG_MAPS] });
  const observer = await startObserver(controlPlane, [CONFIG_MAPS], (object) => stage.isOurs(object));
  const client = new WriteClient(controlPlane, stage.run);
  try {
    await writeMany(stage, client, Math.ceil(events / 10));
    const before = await measured(stage, () => writeMany(stage, client, Math.ceil(events / 10)));
    await untilDrained(stage);
    console.log(`Git is there: ${figures(before)}`);
    const away = `${stage.remote.dir}.away`;
    await rename(stage.remote.dir, away);
    const during = await measured(stage, () => writeMany(stage, client, events));
    console.log(`Git is away:  ${figures(during)}`);
    await waitFor('all to be queued', async () => ((await stage.pendingEvents()) ?? 0) >= events * 0.9, {
      timeoutMs: 120_000,
    }).catch((error: Error) => console.log(error.message));
    console.log(`${await stage.pendingEvents()} changes are queued`);
    await rename(away, stage.remote.dir);
    const start = Date.now();
    await untilDrained(stage);
    console.log(`all in Git ${((Date.now() - start) / 1000).toFixed(1)} s after it is back`);
    return conclude(await judgeHistory(stage, observer.versions, client.records));
  } finally {
    await observer.stop();
    await stage.end();
  }
}

function conclude({ persisted, commits, deviations }: Judgement): number {
  console.log(`${persisted} persisted changes, ${commits} commits, ${deviations.length} deviations`);
  for (const { kind, path, text } of deviations.slice(0, 10)) console.log(`  ${kind}: ${path}: ${text}`);
  return deviations.length === 0 ? 0 : 1;
}

/** Each object has a writer of its own: as many changes as requests. */
async function writeMany(stage: Stage, client: WriteClient, count: number): Promise<void> {
  const writers = Array.from({ length: OBJECTS }, async (_, index) => {
    const name = `object-${index}`;
    const user = USERS[index % USERS.length]!;
    for (let done = 0; done < count / OBJECTS; done++) {
      const id = client.nextId();
      const { status } = await client.write(id, applyConfigMap(stage, { id, user, name, value: String(id) }));
      if (status > 299 || status === 0) throw new Error(`A write was answered with ${status}`);
    }
  });
  await Promise.all(writers);
}

/** Answer times of the webhook as the API server measures them. */
interface AnswerTimes {
  /** Cumulative counts by upper bound in seconds. */
  histogram: Map<number, number>;
  /** Seconds of all calls. */
  sum: number;
}

interface Measured extends AnswerTimes {
  seconds: number;
}

async function measured(stage: Stage, work: () => Promise<void>): Promise<Measured> {
  const before = await readTimes(stage);
  const start = Date.now();
  await work();
  const seconds = (Date.now() - start) / 1000;
  const after = await readTimes(stage);
  const since = ([bound, count]: [number, number]): [number, number] => [
    bound,
    count - (before.histogram.get(bound) ?? 0),
  ];
  return { seconds, sum: after.sum - before.sum, histogram: new Map([...after.histogram].map(since)) };
}

async function readTimes({ controlPlane, replicas }: Stage): Promise<AnswerTimes> {
  const metrics = await controlPlane.clientFor(ADMIN).call<string>({ method: 'GET', path: '/metrics' });
  const name = 'apiserver_admission_webhook_admission_duration_seconds';
  const times: AnswerTimes = { histogram: new Map(), sum: 0 };
  for (const line of metrics.split('\n')) {
    if (!line.startsWith(name) || !line.includes(`name="capture.${replicas.instanceName}.`)) continue;
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    if (line.startsWith(`${name}_sum{`)) times.sum += value;
    if (!line.startsWith(`${name}_bucket{`)) continue;
    const bound = /le="([^"]+)"/.exec(line)?.[1] ?? '';
    const seconds = bound === '+Inf' ? Infinity : Number(bound);
    times.histogram.set(seconds, (times.histogram.get(seconds) ?? 0) + value);
  }
  return times;
}

function figures({ seconds, sum, histogram }: Measured): string {
  const bounds = [...histogram.keys()].sort((a, b) => a - b);
  const total = histogram.get(Infinity) ?? 0;
  const longest = bounds.find((bound) => histogram.get(bound) === total) ?? Infinity;
  const within = bounds
    .filter((bound) => bound <= longest)
    .map((bound) => `${((100 * (histogram.get(bound) ?? 0)) / total).toFixed(1)}% within ${bound * 1000} ms`);
  return `${total} calls, ${(total / seconds).toFixed(0)}/s, ${((1000 * sum) / total).toFixed(1)} ms on average; ${within.join(', ')}`;
}
