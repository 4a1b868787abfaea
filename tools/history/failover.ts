import { randomInt } from 'node:crypto';
import { parseOptions } from './options.ts';
import { isExact, reportText } from './report.ts';
import { runHistory } from './run-history.ts';
import { startHistoryCluster } from './stage.ts';

/** A killed replica is ready again well before the next one goes. */
const KILL_EVERY_MS = 10_000;
const MINUTES = '3';

process.exit(await main());

/** Two replicas under load; one is killed every ten seconds. Only calls that failed open may lack their author. */
async function main(): Promise<number> {
  const options = parseOptions(['--minutes', MINUTES, ...process.argv.slice(2)], randomInt(1, 100_000));
  const controlPlane = await startHistoryCluster();
  try {
    const report = await runHistory(controlPlane, {
      ...options,
      ...{ faults: ['kill'], faultEveryMs: KILL_EVERY_MS, durationMs: options.minutes * 60_000, untilAllDecided: true },
      say: (line) => console.log(`  ${line}`),
    });
    console.log(reportText(report));
    console.log(isExact(report) ? '✓ History is exact.' : '✗ History is not exact, see above.');
    return isExact(report) ? 0 : 1;
  } finally {
    await controlPlane.stop();
  }
}
