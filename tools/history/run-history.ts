import { setTimeout as pause } from 'node:timers/promises';
import type { Comparison, Deviation } from './compare-history.ts';
import { startDenyingWebhook } from './denying-webhook.ts';
import { causeFaults, type Fault } from './faults.ts';
import { judgeHistory, refOfVersion, pathOfVersion, type Judgement } from './judge-history.ts';
import { KINDS } from './kinds.ts';
import { LedgerView } from './ledger-view.ts';
import { startObserver, type Observer } from './observer.ts';
import { Random } from './random.ts';
import { setStage, type HistoryCluster, type Stage } from './stage.ts';
import { runWorkload } from './workload.ts';
import { WriteClient } from './write-client.ts';

export interface HistoryOptions {
  seed: number;
  durationMs: number;
  faults: readonly Fault[];
  /** From one fault to the next, in ms; by default a random pause after each. */
  faultEveryMs?: number;
  replicas: number;
  writers: number;
  /** Longest pause of a writer between two writes, in ms. */
  longestPauseMs: number;
  /** Wait until refused attempts have had their verdict too, which takes the API server's request limit of a minute. */
  untilAllDecided: boolean;
  say: (line: string) => void;
  /** Called before everything is taken down. */
  onJudged?: (stage: Stage, report: HistoryReport) => Promise<void>;
}

export interface HistoryReport extends Comparison {
  seed: number;
  seconds: number;
  requests: number;
  /** Versions that the watch showed. */
  versions: number;
  /** Changes that Git must hold. */
  persisted: number;
  calls: number;
  failedOpen: number;
  commits: number;
  denied: number;
  faults: Record<Fault, number>;
  /** What makes the run itself worthless: a gap in the watch, a queue that does not drain. */
  problems: string[];
}

/** How long the operator may take to write everything after the last write. */
const DRAIN_LIMIT_MS = 180_000;
/** Nothing may come after Git was found equal: the backstop looks after 5 s. */
const CALM_MS = 8_000;

/** One run: writers, faults, the API server's own watch, and the comparison of what it saw with Git. */
export async function runHistory(controlPlane: HistoryCluster, options: HistoryOptions): Promise<HistoryReport> {
  const started = Date.now();
  const run = `run-${options.seed}-${started.toString(36).slice(-5)}`;
  const random = new Random(options.seed);
  const stage = await setStage(controlPlane, run, { replicas: options.replicas });
  const releases: (() => unknown)[] = [() => stage.end()];
  try {
    const deny = random.fork(1_000);
    const webhook = await startDenyingWebhook(stage.admin, run, [stage.namespace], () => deny.chance(0.06));
    releases.push(() => webhook.stop());
    const observer = await startObserver(controlPlane, KINDS, (object) => stage.isOurs(object));
    releases.push(() => observer.stop());
    const ledger = new LedgerView(stage.redis.url, stage.replicas.queuePrefix);
    releases.push(() => ledger.close());
    const client = new WriteClient(controlPlane, stage.run);
    const stop = AbortSignal.timeout(options.durationMs);
    const { namespace, fullNamespace } = stage;
    const { writers, longestPauseMs } = options;
    const [, faults] = await Promise.all([
      runWorkload(client, random, { run, namespace, fullNamespace, writers, objects: 2, longestPauseMs, signal: stop }),
      causeFaults(
        stage,
        { faults: options.faults, everyMs: options.faultEveryMs },
        random.fork(2_000),
        stop,
        options.say,
      ),
    ]);
    options.say(`${client.records.length} requests are answered, waiting for Git`);
    const judge = (): Promise<Judgement> => judgeHistory(stage, observer.versions, client.records);
    const problems = await drain(ledger, stage, judge, options.untilAllDecided);
    const verdict = await judge();
    problems.push(...observer.problems, ...findGaps(observer, client));
    const failedOpen = await stage.failedOpen();
    const report: HistoryReport = {
      ...verdict,
      ...{ seed: options.seed, seconds: Math.round((Date.now() - started) / 1000), requests: client.records.length },
      ...{ versions: observer.versions.length, calls: await stage.replicas.calls(), failedOpen, faults, problems },
      denied: webhook.denied,
    };
    for (const deviation of report.deviations.slice(0, 10)) {
      options.say(await explain(deviation, observer, client, ledger, stage));
    }
    await options.onJudged?.(stage, report);
    return report;
  } finally {
    for (const release of releases.reverse()) await release();
  }
}

/** Waits until everything was written and stays so. @returns what did not come to an end */
async function drain(
  ledger: LedgerView,
  stage: Stage,
  judge: () => Promise<Comparison>,
  untilAllDecided: boolean,
): Promise<string[]> {
  const start = Date.now();
  let calmSince: number | undefined;
  let left = 'nothing was looked at';
  while (Date.now() - start < DRAIN_LIMIT_MS) {
    const due = await ledger.due();
    const open = untilAllDecided
      ? due
      : due.filter(({ fields }) => Object.keys(fields).some((name) => name === 'doubt' || name === 'look:0'));
    const pending = await stage.pendingEvents();
    left = `${open.length} names undecided, ${pending ?? '?'} changes in the queue`;
    const isCalm = open.length === 0 && pending === 0;
    if (isCalm && (await judge()).deviations.length === 0) {
      calmSince ??= Date.now();
      if (Date.now() - calmSince >= CALM_MS) return [];
    } else if (isCalm && calmSince !== undefined && Date.now() - calmSince > 30_000) {
      return []; // it will not get better: the comparison says what is wrong
    } else if (isCalm) calmSince ??= Date.now();
    else calmSince = undefined;
    await pause(500);
  }
  return [`Not all was written within ${DRAIN_LIMIT_MS / 1000} s: ${left}`];
}

/** Versions that the API server answered with and the watch never showed. */
function findGaps(observer: Observer, client: WriteClient): string[] {
  const seen = new Set(observer.versions.map(({ object, version }) => `${object.metadata.uid}/${version}`));
  const lost = client.records.filter(
    ({ dryRun, uid, version, verb }) =>
      !dryRun && uid !== undefined && version !== undefined && verb !== 'delete' && !seen.has(`${uid}/${version}`),
  );
  return lost.length === 0 ? [] : [`The watch missed ${lost.length} versions, such as ${JSON.stringify(lost[0])}`];
}

function isBetween(line: string, from: string, to: string): boolean {
  const { time } = JSON.parse(line) as { time: string };
  return from <= time && time <= to;
}

async function explain(
  deviation: Deviation,
  observer: Observer,
  client: WriteClient,
  ledger: LedgerView,
  { replicas }: Stage,
): Promise<string> {
  const events = observer.versions.filter((event) => pathOfVersion(event) === deviation.path);
  const at = events.findIndex(({ version }) => BigInt(version) >= BigInt(deviation.version ?? '0'));
  const around = events.slice(Math.max(0, at - 3), at + 4);
  const lines = around.map(({ type, version, object }) => {
    const { uid, annotations, deletionTimestamp, labels } = object.metadata;
    return `    ${type} ${version} ${JSON.stringify({ uid, deletionTimestamp, annotations, labels })}`;
  });
  const ids = new Set(around.map(({ object }) => object.metadata.uid));
  const versions = new Set(around.map(({ version }) => version));
  const requests = client.records.filter(
    ({ uid, version, verb }) => ids.has(uid) && (verb === 'delete' || versions.has(version ?? '')),
  );
  const first = events[0];
  const ref = first && refOfVersion(first);
  const said = ref === undefined ? [] : replicas.about(ref.kind, ref.name);
  const times = requests.map(({ startedAt }) => startedAt);
  const from = new Date(Math.min(...times) - 1_000).toISOString();
  const to = new Date(Math.max(...times) + 60_000).toISOString();
  const dump = first === undefined ? {} : await ledger.dump(refOfVersion(first));
  return [
    `${deviation.kind}: ${deviation.path}: ${deviation.text}`,
    ...lines,
    ...requests.slice(-20).map((record) => `    request ${JSON.stringify(record)}`),
    ...said.filter((line) => isBetween(line, from, to)).map((line) => `    said ${line}`),
    `    ledger ${JSON.stringify(dump).slice(0, 3_000)}`,
  ].join('\n');
}
