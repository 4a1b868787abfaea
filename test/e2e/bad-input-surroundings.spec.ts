import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../tools/lib/free-port.ts';
import { makeTempDir, removeTempDir } from '../../tools/lib/temp-dir.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { createGitRemote, type GitRemote } from '../support/git-remote.ts';
import { installCrds, type ObjectName } from '../support/kube.ts';
import { mountOn, withMounts } from '../support/mounts.ts';
import { startOperator, type Operator } from '../support/operator.ts';
import { startRedis, type Redis } from '../support/redis.ts';
import {
  conditionOf,
  configMap,
  eventsAbout,
  gitRepoConfig,
  operatorOptions,
  ownNamespaceRule,
  startWatching,
  waitForReady,
} from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

const CRDS = join(import.meta.dirname, '..', '..', 'charts', 'gitops-reverser', 'crds');

describe('surroundings that are not as they should be', () => {
  let cluster: TestCluster;
  let redis: Redis;
  let remote: GitRemote;
  let folder: string;

  beforeAll(async () => {
    [cluster, redis, remote, folder] = await Promise.all([
      startTestCluster(),
      startRedis({ appendfsync: 'always' }),
      createGitRemote(),
      makeTempDir('surroundings'),
    ]);
  });
  afterAll(async () => {
    await cluster.stop();
    await Promise.all([redis.remove(), remote.remove(), removeTempDir(folder)]);
  });

  /** Runs an operator of its own around a test; it is not waited for. */
  async function withOperator(
    options: { env?: Record<string, string>; kubeconfig?: string },
    test: (operator: Operator) => Promise<void>,
  ): Promise<void> {
    const base = operatorOptions(cluster, redis, options.env);
    const kubeconfig = options.kubeconfig ?? base.kubeconfig;
    const operator = await startOperator({ ...base, kubeconfig, waitUntilReady: false });
    try {
      await waitFor('it to answer', async () => (await fetch(`${operator.httpUrl}/livez`)).status === 200);
      await test(operator);
    } finally {
      await operator.remove();
      const { instanceName } = operator;
      await cluster.tryKubectl(['delete', 'validatingwebhookconfiguration', instanceName, '--ignore-not-found']);
    }
  }

  const untilReady = (operator: Operator): Promise<boolean> =>
    waitFor('the operator to be ready', () => operator.isReady(), { timeoutMs: 40_000 });

  /** The operator lives, is not ready, and says why. */
  async function expectUnready(operator: Operator, why: RegExp): Promise<void> {
    const response = await waitFor('it to say why', async () => {
      const answer = await fetch(`${operator.httpUrl}/readyz`);
      const text = await answer.text();
      return why.test(text) ? { status: answer.status, text } : undefined;
    });
    expect(response.status).toBe(503);
    expect((await fetch(`${operator.httpUrl}/livez`)).status).toBe(200);
  }

  async function waitForEvent(object: ObjectName, reason: string, advice: RegExp): Promise<void> {
    const event = await waitFor(`an Event with the reason ${reason}`, async () =>
      (await eventsAbout(cluster, object)).find((each) => each.reason === reason),
    );
    expect(event).toMatchObject({ type: 'Warning', note: expect.stringMatching(advice) });
  }

  it('a Redis that can not be reached at start: says so, and is ready as soon as it can', async () => {
    await redis.stop();
    try {
      await withOperator({}, async (operator) => {
        await expectUnready(operator, /Redis has not answered yet: check REDIS_URL/);
        const entry = await operator.waitForLog('Redis does not answer');
        expect(entry.msg).toContain('check REDIS_URL');
        expect(entry).toMatchObject({ address: `127.0.0.1:${redis.port}`, error: 'ECONNREFUSED' });
        await redis.start();
        await untilReady(operator);
      });
    } finally {
      await redis.start().catch(() => undefined); // it runs already
    }
  });

  it('a Redis that can not be reached at start: SIGTERM ends the process with code 0', async () => {
    await withOperator({ env: { REDIS_URL: `redis://:hunter2@127.0.0.1:${await freePort()}` } }, async (operator) => {
      await operator.waitForLog('Redis does not answer');
      expect(await operator.stop()).toEqual({ code: 0, signal: null });
      expect(operator.tail(500)).not.toContain('hunter2');
    });
  });

  it('a Redis that goes away later: calls are allowed quickly, and their changes arrive once it is back', async () => {
    await withOperator({}, async (operator) => {
      await untilReady(operator);
      const { namespace } = await startWatching(cluster, { url: remote.url });
      const alice = cluster.asUser('alice');
      await alice.create(configMap(namespace, 'before', { a: '1' }));
      await remote.waitForCommit(`[CREATE] ConfigMap/before in ns/${namespace}`);
      await redis.stop();
      const names = ['during-1', 'during-2', 'during-3'];
      try {
        await operator.waitForLog('Redis does not answer');
        for (const name of names) {
          const started = Date.now();
          await alice.create(configMap(namespace, name, { a: '1' }));
          expect(Date.now() - started).toBeLessThan(1_000);
        }
        expect(await operator.isReady()).toBe(true);
      } finally {
        await redis.start();
      }
      for (const name of names) {
        await remote.waitForCommit(`[CREATE] ConfigMap/${name} in ns/${namespace} by user/alice`, {
          timeoutMs: 30_000,
        });
      }
      await alice.create(configMap(namespace, 'after', { a: '1' }));
      await remote.waitForCommit(`[CREATE] ConfigMap/after in ns/${namespace} by user/alice`);
      const creations = (await remote.log()).filter(({ message }) => message.includes(`in ns/${namespace}`));
      expect(creations).toHaveLength(5);
    });
  });

  it('a DATA_DIR that can not be written: the repository says so in its condition and an Event, the rest works', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    await withOperator({ env: { DATA_DIR: join(file, 'data') } }, async (operator) => {
      await untilReady(operator);
      const namespace = await cluster.createNamespace();
      const repository = gitRepoConfig(namespace, 'repository', { url: remote.url });
      await cluster.admin.create(repository);
      const status = await waitForReady(cluster, repository, { status: 'False', reason: 'DataDirUnwritable' });
      expect(conditionOf(status, 'Ready')?.message).toMatch(/make DATA_DIR a writable folder/);
      expect(conditionOf(status, 'Stalled')?.status).toBe('True');
      await waitForEvent(repository, 'DataDirUnwritable', /make DATA_DIR a writable folder/);
      expect((await operator.waitForLog("DATA_DIR can't be created")).msg).toContain('ENOTDIR');
    });
  });

  withMounts().it(
    'a DATA_DIR that is read-only: the repository says so, and heals once it can be written',
    async () => {
      const DATA_DIR = await makeTempDir('read-only');
      const mount = await mountOn(DATA_DIR, 'ro');
      try {
        await withOperator({ env: { DATA_DIR } }, async (operator) => {
          await untilReady(operator);
          const namespace = await cluster.createNamespace();
          const repository = gitRepoConfig(namespace, 'repository', { url: remote.url });
          await cluster.admin.create(repository);
          const status = await waitForReady(cluster, repository, { status: 'False', reason: 'DataDirUnwritable' });
          expect(conditionOf(status, 'Ready')?.message).toMatch(/make DATA_DIR a writable folder/);
          expect(conditionOf(status, 'Stalled')?.status).toBe('True');
          await waitForEvent(repository, 'DataDirUnwritable', /make DATA_DIR a writable folder/);
          await mount.remount('rw');
          await waitForReady(cluster, repository);
        });
      } finally {
        await mount.unmount();
        await removeTempDir(DATA_DIR);
      }
    },
  );

  withMounts().it(
    'a DATA_DIR that is full: the repository says so, keeps what waits, and writes it once there is room',
    async () => {
      const DATA_DIR = await makeTempDir('full');
      const mount = await mountOn(DATA_DIR, 'size=512k');
      const ballast = join(DATA_DIR, 'ballast');
      await writeFile(ballast, Buffer.alloc(1024 * 1024)).catch(() => undefined); // as much as fits
      try {
        await withOperator({ env: { DATA_DIR } }, async (operator) => {
          await untilReady(operator);
          const namespace = await cluster.createNamespace();
          const repository = gitRepoConfig(namespace, 'repository', { url: remote.url });
          const rule = ownNamespaceRule(namespace, 'rule', 'repository');
          await cluster.admin.create(repository);
          await cluster.admin.create(rule);
          await waitForReady(cluster, rule);
          const status = await waitForReady(cluster, repository, { status: 'False', reason: 'DiskFull' });
          expect(conditionOf(status, 'Ready')?.message).toMatch(/give DATA_DIR more room, or empty it/);
          expect(conditionOf(status, 'Reconciling')?.status).toBe('True');
          await waitForEvent(repository, 'DiskFull', /give DATA_DIR more room, or empty it/);
          const names = ['during-1', 'during-2'];
          for (const name of names) await cluster.asUser('alice').create(configMap(namespace, name, { a: '1' }));
          await rm(ballast);
          for (const name of names) {
            await remote.waitForCommit(`[CREATE] ConfigMap/${name} in ns/${namespace} by user/alice`);
          }
          await waitForReady(cluster, repository);
          expect((await remote.log()).filter(({ message }) => message.includes(`ns/${namespace}`))).toHaveLength(2);
        });
      } finally {
        await mount.unmount();
        await removeTempDir(DATA_DIR);
      }
    },
  );

  it('file:// URLs that the operator does not allow: the repository is Stalled and says so', async () => {
    await withOperator({ env: { ALLOW_FILE_URLS: 'false' } }, async () => {
      const namespace = await cluster.createNamespace();
      const repository = gitRepoConfig(namespace, 'repository', { url: remote.url });
      await cluster.admin.create(repository);
      const status = await waitForReady(cluster, repository, { status: 'False', reason: 'FileUrlNotAllowed' });
      expect(conditionOf(status, 'Stalled')?.status).toBe('True');
      await waitForEvent(repository, 'FileUrlNotAllowed', /ALLOW_FILE_URLS/);
    });
  });

  it('CustomResourceDefinitions that are not installed: says so, and is ready once they are', async () => {
    await cluster.kubectl(['delete', '-f', CRDS, '--wait']);
    try {
      await withOperator({}, async (operator) => {
        await expectUnready(operator, /informers.*check that the CustomResourceDefinitions are installed/);
        await installCrds(cluster.admin, CRDS);
        await untilReady(operator);
      });
    } finally {
      await installCrds(cluster.admin, CRDS);
    }
  });

  it('a POD_NAMESPACE that does not exist: says so, and is ready once it does', async () => {
    const name = 'made-later';
    await withOperator({ env: { POD_NAMESPACE: name } }, async (operator) => {
      await expectUnready(operator, /the namespace POD_NAMESPACE exists/);
      const entry = await operator.waitForLog('the digest key can not be read');
      expect(entry['error']).toContain(name);
      await cluster.admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      await untilReady(operator);
    });
  });

  it('an API server that can not be reached at start: says so, and goes on trying', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    const real = await readFile(cluster.kubeconfigFor('admin'), 'utf8');
    await writeFile(kubeconfig, real.replaceAll(cluster.controlPlane.url, `https://127.0.0.1:${await freePort()}`));
    await withOperator({ kubeconfig }, async (operator) => {
      await expectUnready(operator, /keys.*check that the API server can be reached/);
      const entry = await operator.waitForLog('the digest key can not be read, it is tried again');
      expect(String(entry['error'])).toMatch(/ECONNREFUSED|refused|reach/);
      expect(await operator.stop()).toEqual({ code: 0, signal: null });
    });
  });
});
