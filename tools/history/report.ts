import type { HistoryReport } from './run-history.ts';

const KINDS_OF_DEVIATION = [
  'missing',
  'invented',
  'wrong author',
  'wrong order',
  'wrong content',
  'duplicate',
] as const;

/** Whether history was exact. */
export function isExact(report: HistoryReport): boolean {
  return report.deviations.length === 0 && report.problems.length === 0;
}

/** The figures of a run as a table. */
export function reportText(report: HistoryReport): string {
  const faults = Object.entries(report.faults).filter(([, count]) => count > 0);
  const rows: [string, string | number][] = [
    ['seed', report.seed],
    ['seconds', report.seconds],
    ['faults', faults.map(([name, count]) => `${count}× ${name}`).join(', ') || 'none'],
    ['requests', report.requests],
    ['denied by the other webhook', report.denied],
    ['versions in the watch', report.versions],
    ['admission calls', report.calls],
    ['failed open', report.failedOpen],
    ['persisted changes', report.persisted],
    ['commits', report.commits],
    ['in Git by their author', report.matched],
    ['observed, their call failed open', report.observed],
    ['merged, their call failed open', report.merged],
    ['observed, of excluded users', report.excludedObserved],
    ['deletions by one of several', report.ties],
    ...KINDS_OF_DEVIATION.map((kind): [string, number] => [
      kind,
      report.deviations.filter((deviation) => deviation.kind === kind).length,
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return [...lines, ...report.problems.map((problem) => `  problem: ${problem}`)].join('\n');
}
