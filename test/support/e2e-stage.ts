import { randomBytes } from 'node:crypto';
import type { ControlPlaneOptions } from '../../tools/control-plane/index.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { createGitRemote, type Commit, type GitRemote } from './git-remote.ts';
import type { LiveObject, ObjectName } from './kube.ts';
import { startOperator, type Operator } from './operator.ts';
import { startRedis, type Redis, type RedisOptions } from './redis.ts';
import { waitFor } from './wait-for.ts';

const API_VERSION = 'configbutler.ai/v1alpha1';

export interface SceneOptions {
  /** `spec.resources` of the rule; ConfigMaps by default. */
  resources?: { apiVersion: string; kind: string }[];
  /** More of the rule's spec. Without a namespaceSelector it selects the scene's namespace alone. */
  rule?: Record<string, unknown>;
  /** More of the repository's spec. */
  repository?: Record<string, unknown>;
  /** Labels of the scene's namespace. */
  labels?: Record<string, string>;
}

/** A namespace, a remote repository, and a rule that sends the one's changes to the other. */
export interface Scene {
  readonly namespace: string;
  readonly remote: GitRemote;
  readonly repository: ObjectName;
  readonly rule: ObjectName;
  /** Oldest first. */
  commits(branch?: string): Promise<Commit[]>;
  /** Waits until the branch has as many commits, and returns all of them, oldest first. */
  waitForCommits(count: number, options?: { branch?: string; timeoutMs?: number }): Promise<Commit[]>;
  /** The first lines of all messages, oldest first, without what every one of the scene's has in common. */
  subjects(branch?: string): Promise<string[]>;
}

/** Everything that an e2e test plays on: one per test file. */
export interface Stage {
  readonly cluster: TestCluster;
  readonly redis: Redis;
  operator: Operator;
  /** Sets a scene, ready to be played. */
  scene(options?: SceneOptions): Promise<Scene>;
  /** Makes a repository that is gone with the scenes. */
  createRemote(): Promise<GitRemote>;
  /** Removes each scene's rule, repository and remote: for `afterEach`. */
  endScenes(): Promise<void>;
  stop(): Promise<void>;
}

export async function startStage(
  options: ControlPlaneOptions & { env?: Record<string, string>; redis?: RedisOptions } = {},
): Promise<Stage> {
  const [cluster, redis] = await Promise.all([startTestCluster(options), startRedis(options.redis)]);
  const operator = await startOperator({
    kubeconfig: cluster.kubeconfigFor('admin'),
    redisUrl: redis.url,
    env: { SHUTDOWN_GRACE_SECONDS: '0', ...options.env },
  }).catch(async (error: unknown) => {
    await Promise.all([cluster.stop(), redis.remove()]);
    throw error;
  });
  const scenes: Scene[] = [];
  const remotes: GitRemote[] = [];
  const createRemote = async (): Promise<GitRemote> => {
    const remote = await createGitRemote();
    remotes.push(remote);
    return remote;
  };
  return {
    cluster,
    redis,
    operator,
    createRemote,
    scene: async (sceneOptions = {}) => {
      const scene = await setScene(cluster, await createRemote(), sceneOptions);
      scenes.push(scene);
      return scene;
    },
    endScenes: async () => {
      const objects = scenes.splice(0).flatMap((scene) => [scene.rule, scene.repository]);
      for (const type of ['WatchRule', 'GitRepoConfig']) {
        const left = await cluster.admin.list({ apiVersion: API_VERSION, kind: type });
        objects.push(...left.map(({ metadata }) => ({ apiVersion: API_VERSION, kind: type, metadata })));
      }
      await Promise.all(objects.map((object) => cluster.admin.delete(object).catch(() => undefined)));
      await Promise.all(remotes.splice(0).map((remote) => remote.remove()));
    },
    stop: async function (this: Stage) {
      await this.operator.remove();
      await Promise.all([redis.remove(), cluster.stop(), ...remotes.map((remote) => remote.remove())]);
    },
  };
}

async function setScene(cluster: TestCluster, remote: GitRemote, options: SceneOptions): Promise<Scene> {
  const namespace = await cluster.createNamespace(options.labels);
  const repository = repositoryOf(namespace, 'repo', remote, options.repository);
  const rule = ruleOf(namespace, 'rule', 'repo', options.resources, options.rule);
  await cluster.admin.create(repository);
  await cluster.admin.create(rule);
  if (options.repository?.['suspend'] !== true) await waitUntilReady(cluster, repository);
  await waitUntilReady(cluster, rule);
  return describeScene(namespace, remote, repository, rule);
}

export function describeScene(namespace: string, remote: GitRemote, repository: ObjectName, rule: ObjectName): Scene {
  const commits = async (branch?: string): Promise<Commit[]> => (await remote.log(branch)).reverse();
  const subjects = async (branch?: string): Promise<string[]> => (await commits(branch)).map(subjectOf(namespace));
  return {
    namespace,
    remote,
    repository,
    rule,
    commits,
    subjects,
    waitForCommits: async (count, { branch = 'main', timeoutMs = 15_000 } = {}) => {
      const look = async (): Promise<boolean> =>
        Number(await remote.git('rev-list', '--count', '--first-parent', `refs/heads/${branch}`)) >= count;
      await waitFor(`${count} commits on ${branch}`, look, { intervalMs: 20, timeoutMs }).catch(
        async (error: unknown) => {
          throw new Error(`${(error as Error).message}\nThere are only:\n${(await subjects(branch)).join('\n')}`, {
            cause: error,
          });
        },
      );
      return commits(branch);
    },
  };
}

const subjectOf =
  (namespace: string) =>
  ({ message }: Commit): string =>
    message.split('\n', 1)[0]!.replace(` in ns/${namespace}`, '').replace(' by user/', ' by ');

export function repositoryOf(
  namespace: string,
  name: string,
  remote: { url: string },
  spec: Record<string, unknown> = {},
): ObjectName {
  return {
    apiVersion: API_VERSION,
    kind: 'GitRepoConfig',
    metadata: { name, namespace },
    spec: { url: remote.url, ...spec },
  };
}

export function ruleOf(
  namespace: string,
  name: string,
  repository: string,
  resources = [{ apiVersion: 'v1', kind: 'ConfigMap' }],
  spec: Record<string, unknown> = {},
): ObjectName {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  return {
    apiVersion: API_VERSION,
    kind: 'WatchRule',
    metadata: { name, namespace },
    spec: { gitRepoConfigRef: repository, resources, namespaceSelector, ...spec },
  };
}

interface Reported extends LiveObject {
  status?: {
    observedGeneration?: number;
    conditions?: { type: string; status: string; reason: string; message: string; observedGeneration?: number }[];
    matchedResources?: string[];
    pendingEvents?: number;
    lastCommit?: { sha: string; time: string };
  };
}

/** Waits until the operator has said of the newest generation that its condition is true. */
export async function waitUntilCondition(cluster: TestCluster, object: ObjectName, type: string): Promise<Reported> {
  let seen: Reported | undefined;
  const look = async (): Promise<boolean> => {
    seen = await cluster.admin.get<Reported>(object);
    const condition = seen.status?.conditions?.find((each) => each.type === type);
    return condition?.status === 'True' && condition.observedGeneration === seen.metadata['generation'];
  };
  const what = `${object.kind}/${object.metadata.name} to be ${type}`;
  await waitFor(what, look, { intervalMs: 20 }).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n${JSON.stringify(seen?.status, null, 1)}`, { cause: error });
  });
  return seen!;
}

export function waitUntilReady(cluster: TestCluster, object: ObjectName): Promise<Reported> {
  return waitUntilCondition(cluster, object, 'Ready');
}

/** A ConfigMap to write. */
export function configMap(scene: { namespace: string }, name: string, data: Record<string, string> = {}): ObjectName {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: scene.namespace, name }, data };
}

export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}
