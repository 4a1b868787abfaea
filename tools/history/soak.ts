import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { applyConfigMap } from './apply-config-map.ts';
import { judgeHistory } from './judge-history.ts';
import { KINDS } from './kinds.ts';
import { startObserver } from './observer.ts';
import { cpuOf, memoryOf, openFilesOf } from './process-usage.ts';
import { setStage, startHistoryCluster, type HistoryCluster, type Stage } from './stage.ts';
import { untilDrained } from './until-drained.ts';
import { USERS } from './workload.ts';
import { WriteClient } from './write-client.ts';

const CONFIG_MAPS = KINDS[0];
const WRITERS = 4;
/** Each object lives for this many changes, and has a name that never comes back: whatever is kept by name would grow. */
const CHANGES_OF_AN_OBJECT = 6;
const LINES = 10;

process.exit(await main());

/** Many short-lived objects for many minutes: does the operator's memory, and what it leaves in Redis, stay flat? */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } });
  const cluster = await startHistoryCluster();
  try {
    return await play(cluster, Number(values.minutes) * 60_000);
  } finally {
    await cluster.stop();
  }
}

async function play(cluster: HistoryCluster, durationMs: number): Promise<number> {
  const stage = await setStage(cluster, 'soak', { replicas: 1, kinds: [CONFIG_MAPS] });
  const observer = await startObserver(cluster, [CONFIG_MAPS], (object) => stage.isOurs(object));
  const client = new WriteClient(cluster, stage.run);
  const redis = new Redis(stage.redis.url);
  const stop = AbortSignal.timeout(durationMs);
  try {
    console.log('minutes  changes  operator: memory MiB, CPU s, open files  Redis: memory MiB, keys');
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(stage, client, writer, stop));
    for (let line = 1; line <= LINES; line++) {
      await pause(durationMs / LINES);
      console.log(await figures(stage, redis, (line / LINES) * durationMs, observer.versions.length));
    }
    await Promise.all(writers);
    await untilDrained(stage);
    console.log(`${await figures(stage, redis, durationMs, observer.versions.length)}  (when all is written)`);
    const { persisted, matched, observed, deviations } = await judgeHistory(stage, observer.versions, client.records);
    const failedOpen = await stage.failedOpen();
    console.log(
      `${persisted} persisted changes, ${matched} by their author, ${observed} observed (${failedOpen} calls failed open), ${deviations.length} deviations`,
    );
    return deviations.length === 0 ? 0 : 1;
  } finally {
    redis.disconnect();
    await observer.stop();
    await stage.end();
  }
}

/** One object after the other: applied, applied again, deleted. */
async function write(stage: Stage, client: WriteClient, writer: number, stop: AbortSignal): Promise<void> {
  for (let object = 0; !stop.aborted; object++) {
    const target = { kind: CONFIG_MAPS, namespace: stage.namespace, name: `soak-${writer}-${object}` };
    for (let change = 0; change < CHANGES_OF_AN_OBJECT; change++) {
      const id = client.nextId();
      const user = USERS[id % USERS.length]!;
      const isLast = change === CHANGES_OF_AN_OBJECT - 1;
      const { status, body } = await client.write(
        id,
        isLast
          ? { user, verb: 'delete', method: 'DELETE', target }
          : applyConfigMap(stage, { id, user, name: target.name, value: `${id} `.repeat(200) }),
      );
      if (status !== 200 && status !== 201)
        throw new Error(`A write was answered with ${status}: ${JSON.stringify(body)}`);
    }
  }
}

async function figures(stage: Stage, redis: Redis, elapsedMs: number, changes: number): Promise<string> {
  const { pid } = stage.replicas.current[0]!;
  const [memory, cpu, files] = [await memoryOf(pid), await cpuOf(pid), await openFilesOf(pid)];
  const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]) / 2 ** 20;
  return `${(elapsedMs / 60_000).toFixed(1)}  ${changes}  ${memory.toFixed(0)}, ${cpu.toFixed(0)}, ${files}  ${used.toFixed(1)}, ${await redis.dbsize()}`;
}
