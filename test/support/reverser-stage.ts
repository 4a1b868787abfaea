import { startTestCluster, type TestCluster } from './cluster.ts';
import type { LiveObject, ObjectName } from './kube.ts';
import { startOperator, type Operator, type OperatorOptions } from './operator.ts';
import { startRedis, type Redis } from './redis.ts';
import type { WaitOptions } from '../../tools/lib/wait-for.ts';
import { waitFor } from './wait-for.ts';

const API_VERSION = 'configbutler.ai/v1alpha1';

/** A cluster, a Redis and a running operator: what a spec file starts once. */
export interface ReverserStage {
  readonly cluster: TestCluster;
  readonly redis: Redis;
  readonly operator: Operator;
  end(): Promise<void>;
}

/** `env`: settings of the operator; it ends at once on SIGTERM unless they say otherwise. `users`: besides the usual ones. */
export async function startStage(
  options: { env?: Record<string, string>; users?: string[] } = {},
): Promise<ReverserStage> {
  const { users = [] } = options;
  const [cluster, redis] = await Promise.all([startTestCluster({ users }), startRedis()]);
  const release = async (): Promise<void> => void (await Promise.all([cluster.stop(), redis.remove()]));
  try {
    const operator = await startOperator(operatorOptions(cluster, redis, options.env));
    return {
      cluster,
      redis,
      operator,
      end: async () => {
        await operator.remove();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

export function operatorOptions(cluster: TestCluster, redis: Redis, env: Record<string, string> = {}): OperatorOptions {
  return {
    kubeconfig: cluster.kubeconfigFor('admin'),
    redisUrl: redis.url,
    env: { SHUTDOWN_GRACE_SECONDS: '0', ...env },
  };
}

export function gitRepoConfig(namespace: string, name: string, spec: Record<string, unknown>): ObjectName {
  return { apiVersion: API_VERSION, kind: 'GitRepoConfig', metadata: { namespace, name }, spec };
}

/** Without `resources` it selects ConfigMaps. */
export function watchRule(
  namespace: string,
  name: string,
  spec: { gitRepoConfigRef: string; resources?: { apiVersion: string; kind: string }[]; [field: string]: unknown },
): ObjectName {
  const resources = spec.resources ?? [{ apiVersion: 'v1', kind: 'ConfigMap' }];
  return { apiVersion: API_VERSION, kind: 'WatchRule', metadata: { namespace, name }, spec: { ...spec, resources } };
}

/** A rule that selects the ConfigMaps of its own namespace only. */
export function ownNamespaceRule(namespace: string, name: string, gitRepoConfigRef: string): ObjectName {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  return watchRule(namespace, name, { gitRepoConfigRef, namespaceSelector });
}

export function configMap(namespace: string, name: string, data: Record<string, string>): ObjectName {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
}

export function secret(namespace: string, name: string, stringData: Record<string, string>): ObjectName {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, stringData };
}

export interface LiveCondition {
  type: string;
  status: string;
  reason: string;
  message: string;
  observedGeneration?: number;
}

export interface LiveStatus {
  observedGeneration?: number;
  conditions?: LiveCondition[];
  lastCommit?: { sha: string; time: string };
  pendingEvents?: number;
  matchedResources?: string[];
}

/** The status of a GitRepoConfig or WatchRule, as the cluster shows it now. */
export async function statusOf(cluster: TestCluster, object: ObjectName): Promise<LiveStatus> {
  return (await cluster.admin.get<LiveObject & { status?: LiveStatus }>(object)).status ?? {};
}

export function conditionOf(status: LiveStatus, type: string): LiveCondition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

/** Waits until Ready of the object's newest generation has this status (and reason), and returns the whole status. */
export async function waitForReady(
  cluster: TestCluster,
  object: ObjectName,
  wanted: { status: 'True' | 'False'; reason?: string } = { status: 'True' },
  options?: WaitOptions,
): Promise<LiveStatus> {
  const what = `${object.kind} ${object.metadata.name} to be Ready=${wanted.status} ${wanted.reason ?? ''}`;
  let seen: LiveStatus = {};
  return waitFor(
    what,
    async () => {
      const live = await cluster.admin.get<LiveObject & { status?: LiveStatus }>(object);
      seen = live.status ?? {};
      const ready = conditionOf(seen, 'Ready');
      const current = seen.observedGeneration === live.metadata['generation'];
      const matches = ready?.status === wanted.status && (wanted.reason ?? ready.reason) === ready.reason;
      return current && matches ? seen : undefined;
    },
    options,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; last seen: ${JSON.stringify(seen)}`, { cause: error });
  });
}

/** Creates a repository and a rule for the ConfigMaps of a new namespace, and waits for both. */
export async function startWatching(
  cluster: TestCluster,
  spec: Record<string, unknown>,
): Promise<{ namespace: string; repository: ObjectName; rule: ObjectName }> {
  const namespace = await cluster.createNamespace();
  const repository = gitRepoConfig(namespace, 'repository', spec);
  const rule = ownNamespaceRule(namespace, 'rule', 'repository');
  await cluster.admin.create(repository);
  await cluster.admin.create(rule);
  await waitForReady(cluster, repository);
  await waitForReady(cluster, rule);
  return { namespace, repository, rule };
}

export interface LiveEvent {
  reason: string;
  type: string;
  note: string;
  regarding: { kind: string; name: string };
}

/** The Kubernetes Events about an object. */
export async function eventsAbout(cluster: TestCluster, object: ObjectName): Promise<LiveEvent[]> {
  const { namespace, name } = object.metadata;
  const events = await cluster.admin.list<LiveEvent & LiveObject>({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    ...(namespace !== undefined && { namespace }),
  });
  return events.filter(({ regarding }) => regarding.kind === object.kind && regarding.name === name);
}

/** The number of a counter or gauge with (at least) these labels, summed; 0 where there is none. */
export function metricValue(text: string, name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  let sum = 0;
  for (const line of text.split('\n')) {
    const [, series = '', value] = /^(\S+?)(?:\{.*\})? (\S+)/.exec(line) ?? [];
    if (series === name && wanted.every((label) => line.includes(label))) sum += Number(value);
  }
  return sum;
}
