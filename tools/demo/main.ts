import { ADMIN } from '../control-plane/index.ts';
import { findOnPath } from '../lib/find-on-path.ts';
import { writeInvitation } from './invitation.ts';
import { follow, play } from './play.ts';
import { NAMESPACE, setStage, type Stage } from './stage.ts';
import { paint, say } from './terminal.ts';

const once = process.argv.includes('--once');
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`Ended by ${signal}`)));
}

const running: (() => Promise<unknown>)[] = [];
const code = await main().catch((error: unknown) => {
  const ended = interrupted.signal.aborted;
  say(ended ? '\nEnded.' : paint('red', error instanceof Error ? error.message : String(error)));
  return ended ? 130 : 1;
});
// The operator first, so that it does not see the others go.
for (const end of running.reverse()) await end();
process.exit(code); // what was still starting when it was interrupted goes as well

async function main(): Promise<number> {
  const start = Date.now();
  const stage = await untilInterrupted(setStage((end) => running.push(end)));
  const took = ((Date.now() - start) / 1000).toFixed(1);
  say(
    `${paint('bold', 'GitOps Reverser')} is ready after ${took} s and mirrors namespace ${NAMESPACE} to ${stage.remote.url}`,
  );
  say('Each command below is played by the user before it; the time is from its answer to its commit in Git.\n');
  const { problems, latencies } = await play(stage, interrupted.signal);
  const median = [...latencies].sort((a, b) => a - b)[Math.floor(latencies.length / 2)] ?? 0;
  say();
  say(
    problems.length === 0
      ? paint('green', `✓ Every change is one right commit, and nothing else is. Median ${median.toFixed(0)} ms.`)
      : paint('red', `✗ ${problems.length} wrong or missing, see above.`),
  );
  if (once || problems.length > 0) return problems.length === 0 ? 0 : 1;
  invite(stage);
  await follow(stage.remote, interrupted.signal);
  return 0;
}

function invite({ controlPlane, remote }: Stage): void {
  say(
    writeInvitation({
      namespace: NAMESPACE,
      alice: controlPlane.kubeconfigFor('alice'),
      admin: controlPlane.kubeconfigFor(ADMIN),
      adminName: ADMIN,
      kubectl: controlPlane.kubectl,
      kubectlOnPath: findOnPath('kubectl'),
      remoteDir: remote.dir,
    }),
  );
}

function untilInterrupted<T>(work: Promise<T>): Promise<T> {
  const { signal } = interrupted;
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}
