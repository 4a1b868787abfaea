import { setTimeout as pause } from 'node:timers/promises';
import { ADMIN } from '../control-plane/index.ts';
import { KINDS } from './kinds.ts';
import { cpuOf, memoryOf } from './process-usage.ts';
import { setStage, startHistoryCluster, type HistoryCluster, type Stage } from './stage.ts';
import { untilDrained } from './until-drained.ts';
import { RUN_LABEL } from './workload.ts';

const CONFIG_MAPS = KINDS[0];
const OBJECTS = 5_000;
const WRITERS = 16;
/** Changes of objects that the watch hears of while it is measured. */
const CHANGES = 1_000;

process.exit(await main());

/** What the watch for unannounced changes costs: memory of the operator, and work of both processes, with it and without. */
async function main(): Promise<number> {
  const cluster = await startHistoryCluster();
  try {
    for (const backstop of ['false', 'true', 'false', 'true']) await measure(cluster, backstop);
    return 0;
  } finally {
    await cluster.stop();
  }
}

async function measure(cluster: HistoryCluster, backstop: string): Promise<void> {
  const env = { BACKSTOP: backstop, RESYNC_INTERVAL: '0' };
  const stage = await setStage(cluster, `cost-${Date.now().toString(36)}`, { replicas: 1, env, kinds: [CONFIG_MAPS] });
  try {
    await many(OBJECTS, (index) => create(stage, index));
    await untilDrained(stage);
    await pause(15_000); // what creating them has left behind is collected
    const [operator, apiserver] = [stage.replicas.current[0]!.pid, cluster.pids().apiserver];
    const idle = { memory: await memoryOf(operator), cpu: [await cpuOf(operator), await cpuOf(apiserver)] as const };
    await many(CHANGES, (index) => change(stage, index));
    await untilDrained(stage);
    const work = [(await cpuOf(operator)) - idle.cpu[0], (await cpuOf(apiserver)) - idle.cpu[1]];
    const [own = 0, servers = 0] = work.map((seconds) => (1_000 * seconds) / CHANGES);
    console.log(
      `BACKSTOP=${backstop}: ${OBJECTS} objects, ${idle.memory.toFixed(0)} MiB; a change costs the operator ${own.toFixed(2)} ms and the API server ${servers.toFixed(2)} ms of CPU`,
    );
  } finally {
    await stage.end();
  }
}

async function many(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: WRITERS }, worker));
}

function create({ controlPlane, namespace, run }: Stage, index: number): Promise<unknown> {
  const metadata = { name: `object-${index}`, labels: { [RUN_LABEL]: run } };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: 'x'.repeat(1_000) } };
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  return controlPlane.clientFor(ADMIN).call({ method: 'POST', path, body });
}

function change({ controlPlane, namespace }: Stage, index: number): Promise<unknown> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/object-${index}`;
  const body = { data: { value: `changed ${index}` } };
  const contentType = 'application/merge-patch+json';
  return controlPlane.clientFor(ADMIN).call({ method: 'PATCH', path, body, contentType });
}
