import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { configMap, repositoryOf, ruleOf, startStage, waitUntilReady, type Stage } from '../support/e2e-stage.ts';
import type { ObjectName } from '../support/kube.ts';
import { waitFor } from '../support/wait-for.ts';

/** The promise is 15 s; more here, since the machine may be slow, and never less: the backstop waits 5 s by itself. */
const LIMIT = { timeoutMs: 30_000 };

function deploymentIn(namespace: string): ObjectName {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: 'web' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
    },
  };
}

describe('what no webhook call announced', () => {
  describe('while the webhook is called', () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await startStage();
    }, 120_000);
    afterEach(() => stage.endScenes());
    afterAll(() => stage.stop());

    it('is committed as observed when it came through status', async () => {
      const scene = await stage.scene({ resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] });
      const deployment = deploymentIn(scene.namespace);
      await stage.cluster.asUser('alice').create(deployment);
      await scene.waitForCommits(1);
      await stage.cluster
        .asUser('alice')
        .patch(
          deployment,
          { metadata: { annotations: { through: 'status' } } },
          { subresource: 'status', fieldManager: 'sneaky' },
        );
      const commit = await scene.remote.waitForCommit('[RESYNC] Deployment/web', LIMIT);
      expect(commit.message).toContain('sneaky');
      expect(commit.author.name).toBe('GitOps Reverser');
      expect(await scene.remote.read(`namespaces/${scene.namespace}/Deployment/web.yaml`)).toContain('through: status');
      expect(await stage.operator.metrics()).toContain(
        'gitops_reverser_unannounced_changes_total{resource="deployments"} 1',
      );
    }, 60_000);

    it('leaves the change before it to its author, though nobody saw what that one made of the object', async () => {
      const scene = await stage.scene({ resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }] });
      const deployment = deploymentIn(scene.namespace);
      await stage.cluster.asUser('alice').create(deployment);
      await scene.waitForCommits(1);
      // What is recorded can not be looked at for a while.
      process.kill(stage.redis.pid(), 'SIGSTOP');
      try {
        await stage.cluster.asUser('bob@example.com').patch(deployment, { spec: { replicas: 3 } });
        await stage.cluster
          .asUser('carol')
          .patch(deployment, { metadata: { annotations: { through: 'status' } } }, { subresource: 'status' });
      } finally {
        process.kill(stage.redis.pid(), 'SIGCONT');
      }
      await scene.remote.waitForCommit('[RESYNC] Deployment/web', LIMIT);
      expect(await scene.subjects()).toEqual([
        '[CREATE] Deployment/web by alice',
        '[UPDATE] Deployment/web by bob@example.com',
        '[RESYNC] Deployment/web',
      ]);
      const file = `namespaces/${scene.namespace}/Deployment/web.yaml`;
      const [, update] = await scene.commits();
      const before = await scene.remote.read(file, update!.sha);
      expect(before).toContain('replicas: 3');
      expect(before).not.toContain('through: status');
      expect(await scene.remote.read(file)).toContain('through: status');
    }, 60_000);

    it('is nothing where status alone was written', async () => {
      const scene = await stage.scene({
        resources: [
          { apiVersion: 'apps/v1', kind: 'Deployment' },
          { apiVersion: 'v1', kind: 'ConfigMap' },
        ],
      });
      const deployment = deploymentIn(scene.namespace);
      await stage.cluster.asUser('alice').create(deployment);
      await stage.cluster
        .asUser('alice')
        .patch(deployment, { status: { observedGeneration: 1 } }, { subresource: 'status' });
      await stage.cluster.asUser('alice').patch(deployment, { spec: { replicas: 3 } });
      await scene.waitForCommits(2);
      expect(await scene.subjects()).toEqual(['[CREATE] Deployment/web by alice', '[UPDATE] Deployment/web by alice']);
    }, 60_000);
  });

  describe('because the API server does not reach the webhook', () => {
    let stage: Stage;
    beforeAll(async () => {
      // Nothing listens there: every call fails open.
      stage = await startStage({ env: { WEBHOOK_URL: 'https://127.0.0.1:1' } });
    }, 120_000);
    afterEach(() => stage.endScenes());
    afterAll(() => stage.stop());

    it('says so on the rule, and commits creations, changes and deletions as observed', async () => {
      const namespace = await stage.cluster.createNamespace();
      const remote = await stage.createRemote();
      const repository = repositoryOf(namespace, 'repo', remote);
      const rule = ruleOf(namespace, 'rule', 'repo');
      await stage.cluster.admin.create(repository);
      await stage.cluster.admin.create(rule);
      await waitUntilReady(stage.cluster, repository);
      await waitFor(
        'the rule to say that nobody calls',
        async () =>
          JSON.stringify((await stage.cluster.admin.get<{ status?: unknown }>(rule)).status).includes(
            'check that it reaches https://127.0.0.1:1',
          ),
        LIMIT,
      );
      const alice = stage.cluster.asUser('alice');
      const one = configMap({ namespace }, 'one', { a: '1' });
      await alice.create(one);
      await remote.waitForCommit('[RESYNC] ConfigMap/one', LIMIT);
      await alice.patch(one, { data: { a: '2' } });
      await waitFor(
        'the change',
        async () => (await remote.read(`namespaces/${namespace}/ConfigMap/one.yaml`))?.includes('"2"'),
        LIMIT,
      );
      await alice.delete(one);
      await waitFor('the file to go', async () => (await remote.files()).length === 0, LIMIT);
      const authors = new Set((await remote.log()).map(({ author }) => author.name));
      expect([...authors]).toEqual(['GitOps Reverser']);
    }, 120_000);
  });
});
