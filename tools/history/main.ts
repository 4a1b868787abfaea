import { randomInt } from 'node:crypto';
import { parseOptions } from './options.ts';
import { isExact, reportText } from './report.ts';
import { runHistory } from './run-history.ts';
import { startHistoryCluster } from './stage.ts';

process.exit(await main());

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), randomInt(1, 100_000));
  const controlPlane = await startHistoryCluster();
  let failed = 0;
  try {
    // With --keep-going, seed after seed until the time is over, whatever each one finds.
    const end = Date.now() + options.minutes * 60_000;
    for (let seed = options.seed; seed === options.seed || (options.keepGoing && Date.now() < end); seed++) {
      console.log(`seed ${seed}, faults: ${options.faults.join(', ') || 'none'}, ${options.replicas} replicas`);
      const minutes = options.keepGoing ? Math.min(1, options.minutes) : options.minutes;
      const report = await runHistory(controlPlane, {
        ...options,
        ...{ seed, durationMs: minutes * 60_000, untilAllDecided: true },
        say: (line) => console.log(`  ${line}`),
        onJudged: async (stage, judged) => {
          if (!isExact(judged)) console.log(stage.replicas.warnings().join('\n'));
        },
      });
      console.log(reportText(report));
      if (!isExact(report)) failed += 1;
    }
  } finally {
    await controlPlane.stop();
  }
  console.log(failed === 0 ? '✓ History is exact.' : `✗ ${failed} runs were not exact, see above.`);
  return failed === 0 ? 0 : 1;
}
