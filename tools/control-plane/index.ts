import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeClient } from '../kube/kube-client.ts';
import type { Child } from '../lib/child-process.ts';
import { retryOnTakenPort } from '../lib/retry-on-taken-port.ts';
import { makeTempDir, removeTempDir } from '../lib/temp-dir.ts';
import { findBinaries, type Binaries } from './find-binaries.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { startEtcd, type Etcd } from './start-etcd.ts';
import { startKubeApiserver } from './start-kube-apiserver.ts';
import { ADMIN, makeUsers, tokenFile, type User } from './users.ts';

export interface ControlPlaneOptions {
  /** Users to have besides {@link ADMIN} and the usual people. */
  users?: string[];
  /** More flags for kube-apiserver. */
  extraArgs?: string[];
  binaries?: Binaries;
}

/** A real kube-apiserver with its etcd, on loopback, for tests, demo and benchmarks. */
export interface ControlPlane {
  readonly url: string;
  /** Holds the CA of the API server's certificate. */
  readonly caFile: string;
  readonly kubectl: string;
  /** Process ids; they change with a restart. */
  pids(): { etcd: number; apiserver: number };
  tokenFor(user: string): string;
  /** The path of a kubeconfig with which a program acts as that user. */
  kubeconfigFor(user: string): string;
  clientFor(user: string): KubeClient;
  /** What the API server printed last. */
  log(): string;
  /** Ends the API server alone and starts it again, on the same port with the same data. */
  restartApiServer(): Promise<void>;
  /** Copies the storage, for which it is stopped for a moment. The answer puts the cluster back to that state, as from a backup. */
  backUp(): Promise<() => Promise<void>>;
  /** Ends both at once and removes their folder. */
  stop(): Promise<void>;
}

/** Ready within seconds once the binaries are there. Several may run at once. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = options.binaries ?? (await findBinaries());
  const dir = await makeTempDir('control-plane');
  const running: Child[] = [];
  try {
    const users = makeUsers(options.users ?? []);
    await writeFiles(dir, users);
    const etcd = await startEtcd(binaries.etcd, join(dir, 'etcd'));
    running.push(etcd.child);
    const start = (port: number): Promise<Child> => {
      const server = serverAt(dir, port);
      return startKubeApiserver({
        binary: binaries['kube-apiserver'],
        port,
        etcdUrl: etcd.url,
        certDir: join(dir, 'certificates'),
        tokenFile: join(dir, 'tokens.csv'),
        serviceAccountKeyFile: join(dir, 'service-account.key'),
        extraArgs: options.extraArgs ?? [],
        ready: () => isReady(server, users[0]!.token),
      });
    };
    const apiserver = await retryOnTakenPort(1, async ([port]) => ({ child: await start(port!), port: port! }));
    running.push(apiserver.child);
    return await describe({ dir, binaries, users, etcd, apiserver, start });
  } catch (error) {
    await Promise.all(running.map((child) => child.kill()));
    await removeTempDir(dir);
    throw error;
  }
}

function serverAt(dir: string, port: number): { url: string; caFile: string } {
  return { url: `https://127.0.0.1:${port}`, caFile: join(dir, 'certificates', 'apiserver.crt') };
}

async function writeFiles(dir: string, users: User[]): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await mkdir(join(dir, 'certificates'));
  await writeFile(join(dir, 'service-account.key'), privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  });
  await writeFile(join(dir, 'tokens.csv'), tokenFile(users), { mode: 0o600 });
}

/** Reads the certificate anew each time: the API server writes it while it starts. */
async function isReady(server: { url: string; caFile: string }, token: string): Promise<boolean> {
  const client = new KubeClient(server, token);
  try {
    return (await client.try({ method: 'GET', path: '/readyz' })).status === 200;
  } finally {
    client.close();
  }
}

interface Parts {
  dir: string;
  binaries: Binaries;
  users: User[];
  etcd: Etcd;
  apiserver: { child: Child; port: number };
  start: (port: number) => Promise<Child>;
}

async function describe({ dir, binaries, users, etcd, apiserver, start }: Parts): Promise<ControlPlane> {
  const server = serverAt(dir, apiserver.port);
  const clients = new Map<string, KubeClient>();
  const indexOf = (name: string): number => {
    const index = users.findIndex((user) => user.name === name);
    if (index < 0) throw new Error(`The control plane has no user ${name}; name it in the option "users"`);
    return index;
  };
  const kubeconfig = (index: number): string => join(dir, index === 0 ? 'kubeconfig' : `kubeconfig-${index}`);
  const write = (user: User, index: number): Promise<void> =>
    writeFile(kubeconfig(index), kubeconfigText(server, user), { mode: 0o600 });
  await Promise.all(users.map(write));
  let current = apiserver.child;
  let storage = etcd.child;
  const data = join(dir, 'etcd');
  /** Both are down while `work` has the data to itself. */
  const withStorageDown = async (work: () => Promise<void>): Promise<void> => {
    await current.kill();
    await storage.stop();
    await work();
    storage = await etcd.startAgain();
    current = await start(apiserver.port);
  };
  return {
    ...server,
    kubectl: binaries.kubectl,
    pids: () => ({ etcd: storage.pid, apiserver: current.pid }),
    tokenFor: (name) => users[indexOf(name)]!.token,
    kubeconfigFor: (name) => kubeconfig(indexOf(name)),
    clientFor: (name) => {
      const client = clients.get(name) ?? new KubeClient(server, users[indexOf(name)]!.token);
      clients.set(name, client);
      return client;
    },
    log: () => current.tail(200),
    restartApiServer: async () => {
      await current.kill();
      current = await start(apiserver.port);
    },
    backUp: async () => {
      const copy = join(dir, `etcd-${Date.now()}`);
      await withStorageDown(() => cp(data, copy, { recursive: true }));
      return () =>
        withStorageDown(async () => {
          await rm(data, { recursive: true });
          await cp(copy, data, { recursive: true });
        });
    },
    stop: async () => {
      clients.forEach((client) => client.close());
      await Promise.all([current.kill(), storage.kill()]); // the data goes with them: nothing to shut down gracefully
      await removeTempDir(dir);
    },
  };
}

export { ADMIN };
