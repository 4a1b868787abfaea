import { findBinaries } from './control-plane/find-binaries.ts';
import { ADMIN, startControlPlane } from './control-plane/index.ts';
import { findOnPath } from './lib/find-on-path.ts';
import { shellQuote } from './lib/shell-quote.ts';

/** `npm run control-plane` starts one for a developer; with `-- --prepare` it only finds or makes the programs. */
if (process.argv.includes('--prepare')) {
  console.log(Object.values(await findBinaries()).join('\n'));
} else {
  const start = Date.now();
  const controlPlane = await startControlPlane();
  console.log(`Control plane ready in ${((Date.now() - start) / 1000).toFixed(1)} s at ${controlPlane.url}

  export KUBECONFIG=${controlPlane.kubeconfigFor(ADMIN)}
  ${findOnPath('kubectl') === undefined ? shellQuote(controlPlane.kubectl) : 'kubectl'} create namespace demo

As another user: ${['alice', 'bob@example.com'].map((user) => controlPlane.kubeconfigFor(user)).join(' (alice), ')} (bob@example.com)
Ctrl-C ends it and removes its data.`);
  const keepAlive = setInterval(() => undefined, 60_000);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      clearInterval(keepAlive);
      void controlPlane.stop().then(() => process.exit(0));
    });
  }
}
