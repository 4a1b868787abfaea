import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ADMIN, startControlPlane, type ControlPlane } from '../control-plane/index.ts';
import { findBinaries } from '../control-plane/find-binaries.ts';
import { createGitRemote, type GitRemote } from '../git-remote/index.ts';
import { installCrds } from '../kube/install-crds.ts';
import { KubeUser, type LiveObject, type ObjectName } from '../kube/kube-user.ts';
import { waitFor } from '../lib/wait-for.ts';
import { withProgress } from '../lib/progress.ts';
import { OPERATOR_NAMESPACE, startOperator, type Operator } from '../operator/index.ts';
import { findRedisServer } from '../redis/find-redis-server.ts';
import { startRedis } from '../redis/index.ts';
import { removeKeys } from '../redis/remove-keys.ts';
import { say } from './terminal.ts';

/** Everything that the story needs, running. */
export interface Stage {
  controlPlane: ControlPlane;
  remote: GitRemote;
  operator: Operator;
  asUser(name: string): KubeUser;
}

export const NAMESPACE = 'production';
const AUDIT_NAMESPACE = 'audit';
const OPERATOR_USER = 'system:serviceaccount:gitops-reverser-system:gitops-reverser';
const CRDS = join(import.meta.dirname, '..', '..', 'charts', 'gitops-reverser', 'crds');
const API_VERSION = 'configbutler.ai/v1alpha1';

/** Starts the parts, each once its own needs are met. `onStarted` gets a way to end each, as soon as there is something to end. */
export async function setStage(onStarted: (end: () => Promise<unknown>) => void): Promise<Stage> {
  const binaries = await findBinaries();
  const ownRedis = (process.env['REDIS_URL'] ?? '') === '';
  if (ownRedis) await findRedisServer();
  return withProgress('starting kube-apiserver, etcd, Redis and the operator', async () => {
    const keep = async <T>(starting: Promise<T>, end: (started: T) => Promise<unknown>): Promise<T> => {
      const started = await starting;
      onStarted(() => end(started));
      return started;
    };
    const [controlPlane, redis, remote] = await Promise.all([
      keep(startControlPlane({ users: [OPERATOR_USER], binaries }), (it) => it.stop()),
      ownRedis ? keep(startRedis(), (it) => it.remove()) : { url: process.env['REDIS_URL']! },
      keep(createGitRemote(), (it) => it.remove()),
    ]);
    const asUser = (name: string): KubeUser => new KubeUser(controlPlane.clientFor(name));
    await prepareCluster(asUser(ADMIN));
    const kubeconfig = controlPlane.kubeconfigFor(OPERATOR_USER);
    const env = { QUEUE_PREFIX: `gitops-reverser-demo-${randomBytes(4).toString('hex')}` };
    if (!ownRedis) onStarted(() => leaveNothing(redis.url, env.QUEUE_PREFIX)); // after the operator has ended
    const operator = await keep(startOperator({ kubeconfig, redisUrl: redis.url, env }), (it) => it.remove());
    await watch(asUser(ADMIN), remote.url, operator);
    return { controlPlane, remote, operator, asUser };
  });
}

/** Nobody else would remove the keys of a demo from somebody's Redis. */
async function leaveNothing(redisUrl: string, queuePrefix: string): Promise<void> {
  await removeKeys(redisUrl, queuePrefix).catch((error: unknown) => {
    say(`Could not remove the keys ${queuePrefix}:* from Redis: ${(error as Error).message}`);
  });
}

async function prepareCluster(admin: KubeUser): Promise<void> {
  const namespace = (name: string, labels: Record<string, string> = {}): Promise<LiveObject> =>
    admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  await Promise.all([
    installCrds(admin, CRDS),
    namespace(NAMESPACE, { environment: 'production' }),
    namespace(AUDIT_NAMESPACE),
    namespace(OPERATOR_NAMESPACE),
  ]);
  // No Services here: a quota rejects after the webhook was called. No controller runs that would fill in its status.
  const hard = { services: '0' };
  const quota: ObjectName = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'no-services', namespace: NAMESPACE },
    spec: { hard },
  };
  await admin.create(quota);
  await admin.patch(quota, { status: { hard, used: { services: '0' } } }, { subresource: 'status' });
}

interface Conditioned extends LiveObject {
  status?: { observedGeneration?: number; conditions?: { type: string; status: string; message?: string }[] };
}

/** Creates the GitRepoConfig and the WatchRule, and waits until both are Ready. */
async function watch(admin: KubeUser, url: string, operator: Operator): Promise<void> {
  const metadata = { name: 'demo', namespace: AUDIT_NAMESPACE };
  const repository = { apiVersion: API_VERSION, kind: 'GitRepoConfig', metadata, spec: { url, branch: 'main' } };
  const rule = {
    apiVersion: API_VERSION,
    kind: 'WatchRule',
    metadata,
    spec: {
      gitRepoConfigRef: 'demo',
      resources: [{ apiVersion: '*', kind: '*' }],
      namespaceSelector: { matchLabels: { environment: 'production' } },
    },
  };
  for (const object of [repository, rule]) {
    await admin.create(object);
  }
  for (const object of [repository, rule]) {
    let last = 'it has no status yet';
    await waitFor(`${object.kind}/demo to be Ready`, async () => {
      const conditions = (await admin.get<Conditioned>(object)).status?.conditions ?? [];
      last = conditions.map(({ type, status, message }) => `${type}=${status}: ${message ?? ''}`).join('; ') || last;
      return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    }).catch((cause: unknown) => {
      throw new Error(`${object.kind}/demo does not become Ready (${last})\n${operator.tail()}`, { cause });
    });
  }
}
