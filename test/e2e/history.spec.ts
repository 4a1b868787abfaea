import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FAULTS, type Fault } from '../../tools/history/faults.ts';
import { reportText } from '../../tools/history/report.ts';
import { runHistory } from '../../tools/history/run-history.ts';
import { startHistoryCluster, type HistoryCluster } from '../../tools/history/stage.ts';

/** Each of them writes for this long; faults of a kind come once before any comes twice. Long runs: `npm run test:history`. */
const DURATION_MS = 15_000;
const TIMEOUT_MS = 300_000;

const RUNS: { seed: number; replicas: number; faults: readonly Fault[] }[] = [
  { seed: 11, replicas: 1, faults: [] },
  { seed: 23, replicas: 2, faults: ['kill', 'person'] },
  { seed: 37, replicas: 2, faults: ['redis', 'git'] },
  { seed: 41, replicas: 2, faults: ['pause', 'hang'] },
  { seed: 59, replicas: 2, faults: FAULTS },
];

describe("The API server's own watch and the Git log", () => {
  let cluster: HistoryCluster;

  beforeAll(async () => {
    cluster = await startHistoryCluster();
  }, TIMEOUT_MS);
  afterAll(() => cluster.stop());

  it.each(RUNS)(
    'tell the same history with seed $seed, $replicas replicas and the faults $faults',
    async ({ seed, replicas, faults }) => {
      const told: string[] = [];
      const report = await runHistory(cluster, {
        ...{ seed, replicas, faults, durationMs: DURATION_MS, writers: 6, longestPauseMs: 200 },
        untilAllDecided: false, // refused attempts wait for a minute: the long runs see them to their end
        say: (line) => told.push(line),
      });

      expect({ problems: report.problems, deviations: report.deviations, told }).toEqual({
        problems: [],
        deviations: [],
        told: expect.anything(),
      });
      expect(report.matched).toBeGreaterThan(50);
      expect(reportText(report)).toMatch(/persisted changes +[1-9]/);
    },
    TIMEOUT_MS,
  );
});
