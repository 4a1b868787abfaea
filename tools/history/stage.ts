import { join } from 'node:path';
import type { KubeObject } from '#domain';
import { apiVersionOf } from '#domain';
import { makeAuditLog, type AuditLog } from './audit-log.ts';
import { ADMIN, startControlPlane, type ControlPlane } from '../control-plane/index.ts';
import { createGitRemote, type GitRemote } from '../git-remote/index.ts';
import { installCrd, installCrds } from '../kube/install-crds.ts';
import { KubeUser, type LiveObject, type ObjectName } from '../kube/kube-user.ts';
import { waitFor } from '../lib/wait-for.ts';
import { OPERATOR_NAMESPACE } from '../operator/index.ts';
import { startRedis, type Redis } from '../redis/index.ts';
import { KINDS, WIDGET_CRD, type HistoryKind } from './kinds.ts';
import { startReplicas, type Replicas } from './replicas.ts';
import { AUDIT_LABEL, EXCLUDED_USER, RUN_LABEL } from './workload.ts';

const CRDS = join(import.meta.dirname, '..', '..', 'charts', 'gitops-reverser', 'crds');
const API_VERSION = 'configbutler.ai/v1alpha1';
const RULES_NAMESPACE = 'history-rules';

export interface HistoryCluster extends ControlPlane {
  readonly audit: AuditLog;
}

/** A control plane with the operator's and the harness's own custom resources: good for several runs, one after the other. */
export async function startHistoryCluster(): Promise<HistoryCluster> {
  const audit = await makeAuditLog();
  const controlPlane = await startControlPlane({ users: [EXCLUDED_USER], extraArgs: audit.args });
  try {
    const admin = new KubeUser(controlPlane.clientFor(ADMIN));
    const namespace = (name: string): Promise<LiveObject> =>
      admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await Promise.all([
      installCrds(admin, CRDS),
      installCrd(admin, WIDGET_CRD),
      namespace(OPERATOR_NAMESPACE),
      namespace(RULES_NAMESPACE),
    ]);
    const stop = async (): Promise<void> => {
      await controlPlane.stop();
      await audit.remove();
    };
    return { ...controlPlane, stop, audit };
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

/** What one run plays on: its namespaces, its operator, its Redis, its repository, and the rules that join them. */
export interface Stage {
  readonly run: string;
  readonly controlPlane: ControlPlane;
  readonly admin: KubeUser;
  readonly namespace: string;
  /** A namespace whose quota takes no ConfigMaps. */
  readonly fullNamespace: string;
  readonly redis: Redis;
  readonly remote: GitRemote;
  readonly replicas: Replicas;
  /** The key of the operator's digests. */
  readonly digestKey: Uint8Array;
  /** Whether an object belongs to this run. */
  isOurs(object: KubeObject): boolean;
  /** Calls of this run's webhook that failed open, as the API server counts them. */
  failedOpen(): Promise<number>;
  /** Audit ids of requests of which such a call failed open. */
  failedOpenRequests(): Promise<Set<string>>;
  /** Changes that wait to be pushed, as the operator says in the GitRepoConfig's status. */
  pendingEvents(): Promise<number | undefined>;
  end(): Promise<void>;
}

/** Returns once the rules are in force. */
export async function setStage(
  controlPlane: HistoryCluster,
  run: string,
  options: { replicas: number; env?: Record<string, string>; kinds?: readonly HistoryKind[] },
): Promise<Stage> {
  const admin = new KubeUser(controlPlane.clientFor(ADMIN));
  const ends: (() => Promise<unknown>)[] = [];
  const end = async (): Promise<void> => {
    for (const release of ends.splice(0).reverse()) await release();
  };
  try {
    const namespace = `${run}-main`;
    const fullNamespace = `${run}-full`;
    await prepareNamespaces(admin, run, namespace, fullNamespace);
    const remote = await createGitRemote();
    ends.push(() => remote.remove());
    const redis = await startRedis({ appendfsync: 'always' });
    ends.push(() => redis.remove());
    const { replicas: count, env } = options;
    const kubeconfig = controlPlane.kubeconfigFor(ADMIN);
    const replicas = await startReplicas({ count, kubeconfig, redisUrl: redis.url, ...(env && { env }) });
    ends.push(() => removeOperator(admin, replicas));
    const repository = await watch(admin, run, remote.url, ends, options.kinds ?? KINDS);
    const namespaces = [namespace, fullNamespace];
    return {
      ...{ run, controlPlane, admin, namespace, fullNamespace, redis, remote, replicas },
      digestKey: await readDigestKey(admin, replicas.instanceName),
      isOurs: ({ metadata }) =>
        metadata.namespace === undefined
          ? metadata.labels?.[RUN_LABEL] === run
          : namespaces.includes(metadata.namespace),
      failedOpen: () => countFailedOpen(controlPlane, replicas.instanceName),
      failedOpenRequests: () => controlPlane.audit.failedOpen(replicas.instanceName),
      pendingEvents: async () =>
        (await admin.get<{ status?: { pendingEvents?: number } }>(repository)).status?.pendingEvents,
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function prepareNamespaces(admin: KubeUser, run: string, main: string, full: string): Promise<void> {
  const labels = { [RUN_LABEL]: run };
  for (const name of [main, full])
    await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  const hard = { configmaps: '0' };
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'full', namespace: full },
    spec: { hard },
  };
  await admin.create(quota);
  // No controller runs that would fill in its status.
  await admin.patch(quota, { status: { hard, used: hard } }, { subresource: 'status' });
}

async function removeOperator(admin: KubeUser, replicas: Replicas): Promise<void> {
  await replicas.remove();
  const metadata = { name: replicas.instanceName };
  await admin.delete({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata,
  });
}

async function watch(
  admin: KubeUser,
  run: string,
  url: string,
  ends: (() => Promise<unknown>)[],
  kinds: readonly HistoryKind[],
): Promise<ObjectName> {
  const object = (kind: string, name: string, spec: object): ObjectName => ({
    ...{ apiVersion: API_VERSION, kind, metadata: { name, namespace: RULES_NAMESPACE }, spec },
  });
  const common = {
    gitRepoConfigRef: run,
    excludeLabels: { matchLabels: { [AUDIT_LABEL]: 'off' } },
    excludeUsers: [EXCLUDED_USER],
  };
  const resources = (namespaced: boolean): object[] =>
    kinds
      .filter((kind) => kind.namespaced === namespaced)
      .map((kind) => ({ apiVersion: apiVersionOf(kind), kind: kind.kind }));
  const ours = { matchLabels: { [RUN_LABEL]: run } };
  const repository = object('GitRepoConfig', run, { url, branch: 'main' });
  const objects = [
    repository,
    object('WatchRule', `${run}-namespaced`, { ...common, resources: resources(true), namespaceSelector: ours }),
  ];
  if (resources(false).length > 0) {
    objects.push(
      object('WatchRule', `${run}-cluster`, { ...common, resources: resources(false), labelSelector: ours }),
    );
  }
  for (const each of objects) {
    await admin.create(each);
    ends.push(() => admin.delete(each));
  }
  for (const each of objects) await untilReady(admin, each);
  return repository;
}

interface Conditioned {
  status?: { conditions?: { type: string; status: string; message?: string }[] };
}

async function untilReady(admin: KubeUser, object: ObjectName): Promise<void> {
  let last: unknown;
  const look = async (): Promise<boolean> => {
    const { status } = await admin.get<Conditioned>(object);
    last = status;
    return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  };
  await waitFor(`${object.kind}/${object.metadata.name} to be Ready`, look, { timeoutMs: 60_000 }).catch(
    (cause: unknown) => {
      throw new Error(`${object.kind}/${object.metadata.name} is not Ready: ${JSON.stringify(last)}`, { cause });
    },
  );
}

async function readDigestKey(admin: KubeUser, instanceName: string): Promise<Uint8Array> {
  const metadata = { name: `${instanceName}-keys`, namespace: OPERATOR_NAMESPACE };
  const secret = await admin.get<{ data: Record<string, string> }>({ apiVersion: 'v1', kind: 'Secret', metadata });
  return Buffer.from(secret.data['digest-key'] ?? '', 'base64');
}

async function countFailedOpen(controlPlane: ControlPlane, instanceName: string): Promise<number> {
  const metrics = await controlPlane.clientFor(ADMIN).call<string>({ method: 'GET', path: '/metrics' });
  const lines = metrics.split('\n').filter((line) => line.startsWith('apiserver_admission_webhook_fail_open_count{'));
  const ours = lines.filter((line) => line.includes(`name="capture.${instanceName}.`));
  return ours.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
