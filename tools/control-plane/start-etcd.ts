import { startChild, type Child } from '../lib/child-process.ts';
import { httpStatus } from '../lib/http-status.ts';
import { retryOnTakenPort } from '../lib/retry-on-taken-port.ts';
import { waitUntilReady } from '../lib/wait-until-ready.ts';

export interface Etcd {
  child: Child;
  url: string;
  /** Starts it again after it has ended: same ports, same data folder. */
  startAgain(): Promise<Child>;
}

/** Starts etcd on loopback; its data need not survive the machine, so it never waits for the disk. */
export function startEtcd(binary: string, dataDir: string): Promise<Etcd> {
  return retryOnTakenPort(2, async ([client, peer]) => {
    const url = `http://127.0.0.1:${client}`;
    const peerUrl = `http://127.0.0.1:${peer}`;
    const startAgain = (): Promise<Child> => launch(binary, dataDir, url, peerUrl);
    return { child: await startAgain(), url, startAgain };
  });
}

async function launch(binary: string, dataDir: string, url: string, peerUrl: string): Promise<Child> {
  const child = await startChild({
    name: 'etcd',
    command: binary,
    args: [
      `--data-dir=${dataDir}`,
      '--name=default',
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    env: { PATH: process.env['PATH'] },
  });
  try {
    await waitUntilReady(child, async () => (await httpStatus(`${url}/health`)) === 200);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return child;
}
