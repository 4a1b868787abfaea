import { accessSync, readFileSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { KubeError } from './kube-error.ts';

/** Where the kubelet puts a pod's token. */
const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * The configuration that kubectl would use for `KUBECONFIG=kubeconfigPath` (several files are merged, the first to name
 * something wins, missing files are skipped), or the pod's own without a path.
 * @throws KubeError `BadConfig` that says what is missing.
 */
export function loadKubeConfig(kubeconfigPath?: string): KubeConfig {
  const config = kubeconfigPath === undefined || kubeconfigPath === '' ? inCluster() : fromFiles(kubeconfigPath);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw badConfig('the kubeconfig has no current context, or one that names no cluster');
  if (!URL.canParse(cluster.server))
    throw badConfig(`cluster '${cluster.name}' of the kubeconfig has no valid server URL`);
  if (config.getCurrentUser() === null) throw badConfig('the current context of the kubeconfig names no known user');
  return config;
}

function inCluster(): KubeConfig {
  try {
    accessSync(SERVICE_ACCOUNT_TOKEN);
  } catch (cause) {
    throw badConfig(
      `no kubeconfig is given and this is no pod (${SERVICE_ACCOUNT_TOKEN} is missing): set KUBECONFIG`,
      cause,
    );
  }
  const config = new KubeConfig();
  config.loadFromCluster();
  if (config.getCurrentCluster()?.server.includes('undefined') === true) {
    throw badConfig(
      'there is a service account token, but KUBERNETES_SERVICE_HOST and _PORT are not set: set KUBECONFIG',
    );
  }
  return config;
}

function fromFiles(paths: string): KubeConfig {
  const merged = new KubeConfig();
  let found = 0;
  for (const path of paths.split(delimiter).filter((part) => part !== '')) {
    const config = readConfig(path);
    if (config === undefined) continue;
    found += 1;
    merged.clusters.push(...withoutKnown(config.clusters, merged.clusters));
    merged.users.push(...withoutKnown(config.users, merged.users));
    merged.contexts.push(...withoutKnown(config.contexts, merged.contexts));
    merged.currentContext ||= config.currentContext;
  }
  if (found === 0) throw badConfig(`no kubeconfig file exists at ${paths}`);
  return merged;
}

function readConfig(path: string): KubeConfig | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw badConfig(
      `the kubeconfig ${path} can't be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
      cause,
    );
  }
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
    followTokenFiles(config, text, dirname(path));
  } catch {
    // the parser's own message quotes the file, which may hold a token
    throw badConfig(`the kubeconfig ${path} is not valid`);
  }
  config.makePathsAbsolute(dirname(resolve(path)));
  return config;
}

/** client-node knows kubectl's `tokenFile` only for pods, where it reads the file again each minute: use the same here. */
function followTokenFiles(config: KubeConfig, text: string, folder: string): void {
  const document = parse(text) as { users?: { name?: string; user?: { tokenFile?: unknown } }[] } | null;
  for (const entry of document?.users ?? []) {
    const tokenFile = entry.user?.tokenFile;
    const index = config.users.findIndex((user) => user.name === entry.name);
    const user = config.users[index];
    if (typeof tokenFile !== 'string' || user === undefined) continue;
    const { token: _token, ...rest } = user;
    config.users[index] = {
      ...rest,
      authProvider: { name: 'tokenFile', config: { tokenFile: resolve(folder, tokenFile) } },
    };
  }
}

function withoutKnown<T extends { name: string }>(entries: T[], known: T[]): T[] {
  return entries.filter((entry) => !known.some((other) => other.name === entry.name));
}

function badConfig(message: string, cause?: unknown): KubeError {
  return new KubeError('BadConfig', message, { retryable: false, cause });
}
