import { writeSync } from 'node:fs';

/** Ends a run with the line `N passed, N failed`. A suite that could not run counts as one failure. */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    // Jest prints its own summary after every reporter's, and a forced exit has closed the streams by then.
    process.once('exit', () => writeSync(1, `${line}\n`));
  }
}
