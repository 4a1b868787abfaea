import { setTimeout as pause } from 'node:timers/promises';
import { ADMIN } from '../control-plane/index.ts';
import { KINDS } from './kinds.ts';
import { cpuOf, memoryOf } from './process-usage.ts';
import { setStage, startHistoryCluster, type HistoryCluster, type Stage } from './stage.ts';
import { untilDrained } from './until-drained.ts';
import { RUN_LABEL } from './workload.ts';

const CONFIG_MAPS = KINDS[0];
/** Objects of the watched kind that are there all the time, and that no rule selects: the watch knows them all the same. */
const BYSTANDERS = 20_000;
const OBJECTS = 500;
const WRITERS = 16;
/** Changes of objects that the watch hears of while it is measured. */
const CHANGES = 2_000;
const ROUNDS = 3;
/** Without a limit Node keeps garbage for as long as the machine has memory, and nothing is to be seen. */
const NODE_OPTIONS = '--max-old-space-size=192 --max-semi-space-size=4';

interface Cost {
  /** Resident memory of the operator at rest, in MiB. */
  memory: number;
  /** CPU for one change, in ms. */
  operator: number;
  apiserver: number;
}

process.exit(await main());

/** What the watch for unannounced changes costs: memory of the operator, and work of both processes, with it and without. */
async function main(): Promise<number> {
  const cluster = await startHistoryCluster();
  const costs = new Map<string, Cost[]>([
    ['false', []],
    ['true', []],
  ]);
  try {
    await createBystanders(cluster);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [backstop, list] of costs) list.push(await measure(cluster, backstop));
    }
    for (const [backstop, list] of costs) console.log(`BACKSTOP=${backstop}, medians: ${costText(medians(list))}`);
    return 0;
  } finally {
    await cluster.stop();
  }
}

/** Before any operator is there: nobody is called for them. */
async function createBystanders(cluster: HistoryCluster): Promise<void> {
  const namespace = 'bystanders';
  const admin = cluster.clientFor(ADMIN);
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await admin.call({ method: 'POST', path: '/api/v1/namespaces', body });
  await many(BYSTANDERS, (index) => create(cluster, namespace, index, {}));
}

async function measure(cluster: HistoryCluster, backstop: string): Promise<Cost> {
  const env = { BACKSTOP: backstop, RESYNC_INTERVAL: '0', NODE_OPTIONS };
  const stage = await setStage(cluster, `cost-${Date.now().toString(36)}`, { replicas: 1, env, kinds: [CONFIG_MAPS] });
  try {
    await many(OBJECTS, (index) => create(cluster, stage.namespace, index, { [RUN_LABEL]: stage.run }));
    await untilDrained(stage);
    await pause(15_000); // what creating them has left behind is collected
    const [operator, apiserver] = [stage.replicas.current[0]!.pid, cluster.pids().apiserver];
    const memory = await memoryOf(operator);
    const before = [await cpuOf(operator), await cpuOf(apiserver)] as const;
    await many(CHANGES, (index) => change(stage, index));
    await untilDrained(stage);
    const perChange = (seconds: number): number => (1_000 * seconds) / CHANGES;
    const cost = {
      memory,
      operator: perChange((await cpuOf(operator)) - before[0]),
      apiserver: perChange((await cpuOf(apiserver)) - before[1]),
    };
    console.log(`BACKSTOP=${backstop}: ${costText(cost)}`);
    return cost;
  } finally {
    await stage.end();
  }
}

function medians(costs: Cost[]): Cost {
  const median = (key: keyof Cost): number =>
    costs.map((cost) => cost[key]).sort((a, b) => a - b)[costs.length >> 1] ?? NaN;
  return { memory: median('memory'), operator: median('operator'), apiserver: median('apiserver') };
}

function costText({ memory, operator, apiserver }: Cost): string {
  return `${memory.toFixed(0)} MiB with ${BYSTANDERS + OBJECTS} objects; a change costs the operator ${operator.toFixed(2)} ms and the API server ${apiserver.toFixed(2)} ms of CPU`;
}

async function many(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: WRITERS }, worker));
}

function create(
  cluster: HistoryCluster,
  namespace: string,
  index: number,
  labels: Record<string, string>,
): Promise<unknown> {
  const metadata = { name: `object-${index}`, labels };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: 'x'.repeat(1_000) } };
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  return cluster.clientFor(ADMIN).call({ method: 'POST', path, body });
}

function change({ controlPlane, namespace }: Stage, index: number): Promise<unknown> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/object-${index % OBJECTS}`;
  const body = { data: { value: `changed ${index}` } };
  const contentType = 'application/merge-patch+json';
  return controlPlane.clientFor(ADMIN).call({ method: 'PATCH', path, body, contentType });
}
