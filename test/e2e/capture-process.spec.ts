import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { configMap, startStage, waitUntilReady, type Stage } from '../support/e2e-stage.ts';
import { startOperator, type Operator } from '../support/operator.ts';
import { waitFor } from '../support/wait-for.ts';

/** A job whose worker died is handed out again once its lock has ended (10 s) and that was noticed (5 s). */
const TAKEOVER_MS = 25_000;

describe('the operator as a process', () => {
  let stage: Stage;
  const ended: Operator[] = [];
  beforeAll(async () => {
    stage = await startStage();
  });
  afterEach(() => stage.endScenes());
  afterAll(async () => {
    await Promise.all(ended.map((operator) => operator.remove()));
    await stage.stop();
  });

  const startAgain = async (): Promise<void> => {
    ended.push(stage.operator);
    stage.operator = await startOperator({
      kubeconfig: stage.cluster.kubeconfigFor('admin'),
      redisUrl: stage.redis.url,
      env: stage.operator.env,
    });
  };

  it('serves its metrics under the names and labels that dashboards know', async () => {
    const scene = await stage.scene();
    const repository = `${scene.namespace}/repo`;
    const map = configMap(scene, 'app', { a: '1' });
    await stage.cluster.admin.create(map);
    await stage.cluster.admin.patch(map, { data: { a: '2' } });
    await stage.cluster.admin.patch(map, { data: { a: '2' } });
    await stage.cluster.admin.create({
      ...map,
      metadata: { ...map.metadata, name: 'ignored', labels: { 'gitops-reverser/ignore': 'true' } },
    });
    await stage.cluster.admin.delete(map);
    await scene.waitForCommits(3);
    const metrics = await waitFor('the counts', async () => {
      const all = parseMetrics(await stage.operator.metrics());
      const done = all.find(
        ({ name, labels }) =>
          name === 'gitops_reverser_events_processed_total' &&
          labels['repository'] === repository &&
          labels['operation'] === 'DELETE',
      );
      return done === undefined ? undefined : all;
    });
    const find = (name: string, labels: Record<string, string>): number =>
      metrics
        .filter((each) => each.name === name)
        .filter((each) => Object.entries(labels).every(([key, value]) => each.labels[key] === value))
        .reduce((sum, { value }) => sum + value, 0);
    const committed = { result: 'committed', reason: 'committed', repository };
    expect(find('gitops_reverser_events_received_total', { operation: 'CREATE' })).toBeGreaterThanOrEqual(2);
    expect(find('gitops_reverser_events_received_total', { operation: 'DELETE' })).toBeGreaterThanOrEqual(1);
    for (const operation of ['CREATE', 'UPDATE', 'DELETE'])
      expect(find('gitops_reverser_events_processed_total', { ...committed, operation })).toBe(1);
    expect(find('gitops_reverser_events_processed_total', { result: 'skipped', reason: 'ignored' })).toBe(1);
    expect(find('gitops_reverser_events_processed_total', { result: 'dropped', reason: 'unchanged' })).toBe(1);
    expect(
      find('gitops_reverser_git_operations_total', { operation: 'push', result: 'ok', repository }),
    ).toBeGreaterThan(0);
    expect(find('gitops_reverser_git_operations_total', { operation: 'probe', result: 'ok', repository })).toBe(1);
    expect(find('gitops_reverser_git_push_duration_seconds_count', { repository })).toBeGreaterThan(0);
    const sizes = metrics.filter(({ name }) => name === 'gitops_reverser_git_commit_queue_size');
    expect(sizes.map(({ labels }) => labels['repository'])).toContain(repository);
    // No label may grow without bound.
    const labels = new Set(metrics.flatMap((sample) => Object.keys(sample.labels)));
    expect([...labels].sort()).toEqual(['le', 'operation', 'reason', 'repository', 'result']);
    expect(JSON.stringify(metrics)).not.toContain('admin');
  });

  it('that is killed right after a burst of writes loses none, and writes none twice', async () => {
    const scene = await stage.scene();
    const users = ['alice', 'bob@example.com', 'carol'];
    const maps = users.map((user) => ({ user: stage.cluster.asUser(user), map: configMap(scene, user.slice(0, 3)) }));
    const write = async (steps: number[]): Promise<void> => {
      for (const step of steps)
        await Promise.all(maps.map(({ user, map }) => user.patch(map, { data: { step: String(step) } })));
    };
    await Promise.all(maps.map(({ user, map }) => user.create(map)));
    await write([1, 2, 3]);
    await stage.operator.kill();
    await startAgain();
    await waitUntilReady(stage.cluster, scene.repository);
    await write([4]);
    const commits = await scene.waitForCommits(15, { timeoutMs: TAKEOVER_MS });
    for (const user of users) {
      const own = commits.filter(({ author }) => author.name === user);
      expect(own.map(({ message }) => message.slice(0, 8))).toEqual(['[CREATE]', ...Array<string>(4).fill('[UPDATE]')]);
      const versions = own.map(({ message }) => BigInt(/Resource Version: (\d+)/.exec(message)![1]!));
      expect(versions).toEqual(versions.toSorted((a, b) => (a < b ? -1 : 1)));
    }
    expect(commits).toHaveLength(15);
  });

  it('that is stopped answers its last calls, ends with code 0, and goes on where it was', async () => {
    const scene = await stage.scene();
    const map = configMap(scene, 'app', { step: '1' });
    await stage.cluster.asUser('alice').create(map);
    await stage.cluster.asUser('alice').patch(map, { data: { step: '2' } });
    expect(await stage.operator.stop()).toEqual({ code: 0, signal: null });
    await startAgain();
    await waitUntilReady(stage.cluster, scene.rule);
    await stage.cluster.asUser('bob@example.com').patch(map, { data: { step: '3' } });
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] ConfigMap/app by alice',
      '[UPDATE] ConfigMap/app by alice',
      '[UPDATE] ConfigMap/app by bob@example.com',
    ]);
  });

  it('takes over what changed in rules and repositories while it was away', async () => {
    const scene = await stage.scene();
    await stage.operator.stop();
    const spec = { resources: [{ apiVersion: 'v1', kind: 'Secret' }] };
    await stage.cluster.admin.patch(scene.rule, { spec });
    await stage.cluster.admin.patch(scene.repository, { spec: { path: 'later' } });
    await startAgain();
    await waitUntilReady(stage.cluster, scene.rule);
    await waitUntilReady(stage.cluster, scene.repository);
    await stage.cluster.admin.create(configMap(scene, 'unwanted'));
    await stage.cluster.admin.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: scene.namespace, name: 'wanted' },
    });
    await scene.waitForCommits(1);
    expect(await scene.remote.files()).toEqual([`later/namespaces/${scene.namespace}/Secret/wanted.yaml`]);
  });
});

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples of a Prometheus text. */
function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line): Sample[] => {
    const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (!name?.startsWith('gitops_reverser_')) return [];
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text] as const);
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
  });
}
