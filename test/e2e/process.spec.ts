import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../tools/lib/free-port.ts';
import { makeTempDir, removeTempDir } from '../../tools/lib/temp-dir.ts';
import { createGitRemote, type GitRemote } from '../support/git-remote.ts';
import type { LiveObject, ObjectName } from '../support/kube.ts';
import { OPERATOR_NAMESPACE, startOperator, type Operator } from '../support/operator.ts';
import {
  configMap,
  metricValue,
  operatorOptions,
  startStage,
  startWatching,
  type ReverserStage,
} from '../support/reverser-stage.ts';
import { runOperator } from '../support/run-operator.ts';
import { waitFor } from '../support/wait-for.ts';

const GRACE_SECONDS = 3;

interface LiveWebhooks extends LiveObject {
  webhooks?: { clientConfig: { caBundle?: string }; failurePolicy: string }[];
}

describe('the operator as a process', () => {
  let stage: ReverserStage;
  let remote: GitRemote;
  let namespace: string;
  let folder: string;
  let operator: Operator;
  const started: Operator[] = [];

  beforeAll(async () => {
    const env = { SHUTDOWN_GRACE_SECONDS: String(GRACE_SECONDS) };
    [stage, remote] = await Promise.all([startStage({ env }), createGitRemote()]);
    operator = stage.operator;
    folder = await makeTempDir('process');
    ({ namespace } = await startWatching(stage.cluster, { url: remote.url }));
  });
  afterAll(async () => {
    await Promise.all(started.map((each) => each.remove()));
    await stage.end();
    await Promise.all([remote.remove(), removeTempDir(folder)]);
  });

  /** The same installation again, after the process before it has ended. */
  async function startAgain(env: Record<string, string> = {}): Promise<Operator> {
    const again = await startOperator(operatorOptions(stage.cluster, stage.redis, { ...operator.env, ...env }));
    started.push(again);
    return again;
  }

  let counter = 0;
  /** Creates a ConfigMap and waits for its commit: the whole path works. */
  async function proveItWorks(): Promise<void> {
    const name = `proof-${++counter}`;
    await stage.cluster.asUser('alice').create(configMap(namespace, name, { a: '1' }));
    const commit = await remote.waitForCommit(`[CREATE] ConfigMap/${name} in ns/${namespace} by user/alice`);
    expect(commit.message).not.toContain('[RESYNC]');
  }

  const webhooks = (): ObjectName => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: operator.instanceName },
  });
  const certificates = (): ObjectName => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: OPERATOR_NAMESPACE, name: `${operator.instanceName}-webhook-tls` },
  });

  it('says that it lives, is ready, and what it did', async () => {
    await proveItWorks();
    for (const path of ['livez', 'readyz']) {
      const response = await fetch(`${operator.httpUrl}/${path}`);
      expect({ path, status: response.status }).toEqual({ path, status: 200 });
    }
    const metrics = await operator.metrics();
    expect(metricValue(metrics, 'gitops_reverser_events_received_total', { operation: 'CREATE' })).toBeGreaterThan(0);
    const repository = `${namespace}/repository`;
    const done = { operation: 'CREATE', result: 'committed', repository };
    expect(metricValue(metrics, 'gitops_reverser_events_processed_total', done)).toBeGreaterThan(0);
    const pushes = { operation: 'push', result: 'ok', repository };
    expect(metricValue(metrics, 'gitops_reverser_git_operations_total', pushes)).toBeGreaterThan(0);
    const duration = 'gitops_reverser_git_push_duration_seconds_count';
    expect(metricValue(metrics, duration, { repository })).toBeGreaterThan(0);
    expect(metrics).toMatch(/^gitops_reverser_git_commit_queue_size\{/m);
  });

  it.each([
    [
      'edited',
      async (): Promise<void> => {
        const live = await stage.cluster.admin.get<LiveWebhooks>(webhooks());
        const edited = live.webhooks?.map((each) => ({ ...each, clientConfig: { url: 'https://127.0.0.1:1/' } }));
        await stage.cluster.admin.patch(webhooks(), { webhooks: edited });
      },
    ],
    ['emptied', (): Promise<unknown> => stage.cluster.admin.patch(webhooks(), { webhooks: null })],
    ['deleted', (): Promise<unknown> => stage.cluster.admin.delete(webhooks())],
  ])('restores its webhook configuration after somebody has %s it', async (_how, harm) => {
    const before = await stage.cluster.admin.get<LiveWebhooks>(webhooks());
    expect(before.webhooks?.length).toBeGreaterThan(0);
    expect(before.webhooks?.every(({ failurePolicy }) => failurePolicy === 'Ignore')).toBe(true);
    await harm();
    await waitFor('the configuration to be as before', async () => {
      const now = await stage.cluster.admin.find<LiveWebhooks>(webhooks());
      return JSON.stringify(now?.webhooks) === JSON.stringify(before.webhooks);
    });
    await untilCaptured();
  });

  it.each([
    ['deleted', (): Promise<unknown> => stage.cluster.admin.delete(certificates())],
    [
      'filled with rubbish',
      (): Promise<unknown> => {
        const stringData = { 'ca.crt': 'rubbish', 'ca.key': 'rubbish', 'tls.crt': 'rubbish', 'tls.key': 'rubbish' };
        return stage.cluster.admin.patch(certificates(), { stringData });
      },
    ],
  ])('makes new certificates when their Secret was %s, and calls work again', async (_how, harm) => {
    const caOf = async (): Promise<string | undefined> =>
      (await stage.cluster.admin.find<LiveWebhooks>(webhooks()))?.webhooks?.[0]?.clientConfig.caBundle;
    const before = await caOf();
    await harm();
    await waitFor('another CA in the configuration', async () => {
      const now = await caOf();
      return now !== undefined && now !== before;
    });
    await untilCaptured();
    await proveItWorks();
  });

  /** API servers read a new configuration within a second: calls before that fail open. */
  async function untilCaptured(): Promise<void> {
    await waitFor('a call to be captured', async () => {
      const name = `captured-${++counter}`;
      await stage.cluster.asUser('alice').create(configMap(namespace, name, { a: '1' }));
      const message = `[CREATE] ConfigMap/${name} in ns/${namespace} by user/alice`;
      return remote.waitForCommit(message, { timeoutMs: 1_500 }).then(
        () => true,
        () => false,
      );
    });
  }

  it('goes on answering calls after SIGTERM, then ends with code 0, and nothing of it is lost', async () => {
    operator.signal('SIGTERM');
    const asked = Date.now();
    await waitFor('it to be unready', async () => (await fetch(`${operator.httpUrl}/readyz`)).status === 503);
    const { status } = await fetch(`${operator.httpUrl}/livez`);
    expect(status).toBe(200);
    await stage.cluster.asUser('alice').create(configMap(namespace, 'in-the-grace-period', { a: '1' }));
    expect(Date.now() - asked).toBeLessThan(GRACE_SECONDS * 1000);
    expect(await operator.exited).toEqual({ code: 0, signal: null });
    expect(Date.now() - asked).toBeLessThan(GRACE_SECONDS * 1000 + 5_000);

    operator = await startAgain();
    await remote.waitForCommit(`[CREATE] ConfigMap/in-the-grace-period in ns/${namespace} by user/alice`);
    await proveItWorks();
  });

  it('continues after kill -9, without a gap and without a duplicate', async () => {
    const { cluster } = stage;
    const name = 'through-the-crash';
    await cluster.asUser('alice').create(configMap(namespace, name, { n: '0' }));
    for (let n = 1; n <= 10; n++) {
      await cluster.asUser('alice').patch(configMap(namespace, name, {}), { data: { n: String(n) } });
    }
    await operator.kill();
    operator = await startAgain();
    const path = `namespaces/${namespace}/ConfigMap/${name}.yaml`;
    await waitFor('the last change', async () => (await remote.read(path))?.includes(': "10"'), { timeoutMs: 30_000 });
    await proveItWorks();
    const commits = (await remote.log()).filter(({ message }) => message.includes(`ConfigMap/${name} `));
    expect(commits).toHaveLength(11);
    const ids = commits.map(({ message }) => /^Event-Id: (.*)$/m.exec(message)?.[1]);
    expect(new Set(ids).size).toBe(11);
  });

  it('reads the address of Redis from a file', async () => {
    await operator.kill();
    await writeFile(join(folder, 'url'), `${stage.redis.url}\n`);
    operator = await startAgain({ REDIS_URL: '', REDIS_URL_FILE: join(folder, 'url') });
    await proveItWorks();
  });

  it('ends with code 1 and names the port when the admission server can not listen', async () => {
    const webhookPort = new URL(operator.webhookUrl).port; // in use by the operator that runs
    const { code, stderr } = await runOperator({ ...operator.env, HTTP_PORT: String(await freePort()) });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(webhookPort) });
    expect(stderr).toContain('Set HTTP_PORT or WEBHOOK_PORT to a free one');
  });

  it('removes its webhook configuration and its Secrets on "uninstall", and nothing of anybody else', async () => {
    const { cluster } = stage;
    const other = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: OPERATOR_NAMESPACE, name: 'not-ours' } };
    await cluster.admin.create(other);
    await operator.kill();
    const { code, stdout } = await runOperator(operator.env, ['uninstall']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(operator.instanceName) });
    expect(await cluster.admin.find(webhooks())).toBeUndefined();
    const secrets = await cluster.admin.list({ apiVersion: 'v1', kind: 'Secret', namespace: OPERATOR_NAMESPACE });
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual(['not-ours']);
    const again = await runOperator(operator.env, ['uninstall']);
    expect(again.code).toBe(0);
  });
});
