import { startChild, type Child } from '../lib/child-process.ts';
import { waitUntilReady } from '../lib/wait-until-ready.ts';

export interface ApiServerOptions {
  binary: string;
  port: number;
  etcdUrl: string;
  /** It writes its own serving certificate, and the CA of that, into this folder: `apiserver.crt`. */
  certDir: string;
  tokenFile: string;
  serviceAccountKeyFile: string;
  extraArgs: string[];
  ready: () => Promise<boolean>;
}

/** Starts kube-apiserver on loopback and waits for /readyz. Nothing is disabled that a change could pass through. */
export async function startKubeApiserver(options: ApiServerOptions): Promise<Child> {
  const child = await startChild({
    name: 'kube-apiserver',
    command: options.binary,
    args: [
      `--etcd-servers=${options.etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${options.port}`,
      `--cert-dir=${options.certDir}`,
      '--authorization-mode=RBAC',
      `--token-auth-file=${options.tokenFile}`,
      `--service-account-key-file=${options.serviceAccountKeyFile}`,
      `--service-account-signing-key-file=${options.serviceAccountKeyFile}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--disable-admission-plugins=ServiceAccount', // no controller makes the accounts that pods would need
      '--allow-privileged=true',
      '--profiling=false',
      '--endpoint-reconciler-type=none', // a loopback address is no valid endpoint
      ...options.extraArgs,
    ],
    env: { PATH: process.env['PATH'], HOME: options.certDir },
  });
  try {
    await waitUntilReady(child, options.ready);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return child;
}
