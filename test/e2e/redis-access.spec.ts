import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueCa, issueServingCert } from '#k8s';
import { freePort } from '../../tools/lib/free-port.ts';
import { makeTempDir, removeTempDir } from '../../tools/lib/temp-dir.ts';
import { findRedisServer } from '../../tools/redis/find-redis-server.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { createGitRemote, type GitRemote } from '../support/git-remote.ts';
import { onlyWhere } from '../support/only-where.ts';
import { startOperator, type Operator } from '../support/operator.ts';
import { startRedis, type Redis } from '../support/redis.ts';
import { configMap, operatorOptions, startWatching } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

/** With characters that a URL has to escape. */
const PASSWORD = 'p@ss/word:?100%#';
const WRONG = 'wrong-password-that-nobody-may-read';
const server = await findRedisServer();
const ESCAPED = encodeURIComponent(PASSWORD);

describe('a Redis that asks who is there', () => {
  let cluster: TestCluster;
  let remote: GitRemote;
  let folder: string;

  beforeAll(async () => {
    [cluster, remote, folder] = await Promise.all([startTestCluster(), createGitRemote(), makeTempDir('redis-access')]);
  });
  afterAll(async () => {
    await Promise.all([cluster.stop(), remote.remove(), removeTempDir(folder)]);
  });

  async function withRedis(extraArgs: string[], test: (redis: Redis) => Promise<void>): Promise<void> {
    const redis = await startRedis({ extraArgs });
    try {
      await test(redis);
    } finally {
      await redis.remove();
    }
  }

  async function withOperator(
    redis: Redis,
    env: Record<string, string>,
    test: (operator: Operator) => Promise<void>,
  ): Promise<void> {
    const operator = await startOperator({ ...operatorOptions(cluster, redis, env), waitUntilReady: false });
    try {
      await test(operator);
      expect(operator.tail(500)).not.toContain(PASSWORD);
      expect(operator.tail(500)).not.toContain(ESCAPED);
    } finally {
      await operator.remove();
      const { instanceName } = operator;
      await cluster.tryKubectl(['delete', 'validatingwebhookconfiguration', instanceName, '--ignore-not-found']);
    }
  }

  /** All of its connections work: the ledger, the queues and their workers. */
  async function expectCommit(operator: Operator): Promise<void> {
    await waitFor('the operator to be ready', () => operator.isReady(), { timeoutMs: 30_000 });
    const { namespace } = await startWatching(cluster, { url: remote.url });
    await cluster.asUser('alice').create(configMap(namespace, 'app', { a: '1' }));
    await remote.waitForCommit(`[CREATE] ConfigMap/app in ns/${namespace} by user/alice`);
  }

  it.each([
    ['a password', [`--requirepass`, PASSWORD], (port: number) => `redis://:${ESCAPED}@127.0.0.1:${port}`],
    [
      'a user, its password and another database',
      ['--user', 'reverser', 'on', `>${PASSWORD}`, '~*', '&*', '+@all', '--user', 'default', 'off'],
      (port: number) => `redis://reverser:${ESCAPED}@127.0.0.1:${port}/3`,
    ],
  ])('with %s is used by a URL that holds them', async (_what, args, urlOf) => {
    await withRedis(args, async (redis) => {
      await withOperator(redis, { REDIS_URL: urlOf(redis.port) }, expectCommit);
    });
  });

  it('is used by a URL in a file', async () => {
    await withRedis(['--requirepass', PASSWORD], async (redis) => {
      const file = join(folder, 'url');
      await writeFile(file, `redis://:${ESCAPED}@127.0.0.1:${redis.port}\n`);
      await withOperator(redis, { REDIS_URL_FILE: file }, expectCommit);
    });
  });

  it('and is told a wrong password: the operator is not ready, says why, and does not repeat it', async () => {
    await withRedis(['--requirepass', PASSWORD], async (redis) => {
      const REDIS_URL = `redis://:${WRONG}@127.0.0.1:${redis.port}`;
      await withOperator(redis, { REDIS_URL }, async (operator) => {
        const entry = await operator.waitForLog('Redis does not answer');
        expect(String(entry['error'])).toMatch(/WRONGPASS/);
        const answer = await fetch(`${operator.httpUrl}/readyz`);
        expect(answer.status).toBe(503);
        expect(await answer.text()).toMatch(/check REDIS_URL/);
        expect(operator.tail(500)).not.toContain(WRONG);
      });
    });
  });

  withTls().describe('over TLS', () => {
    it('is used by a rediss:// URL where its certificate is trusted, and not where it is not', async () => {
      const ca = await issueCa({ now: Date.now(), commonName: 'test' });
      const { cert, key } = await issueServingCert({ ca, names: ['127.0.0.1'], now: Date.now() });
      const files = { ca: join(folder, 'ca.crt'), cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
      await Promise.all([writeFile(files.ca, ca.cert), writeFile(files.cert, cert), writeFile(files.key, key)]);
      const port = await freePort();
      const tls = ['--tls-port', String(port), '--tls-cert-file', files.cert, '--tls-key-file', files.key];
      const trust = ['--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'no'];
      await withRedis([...tls, ...trust, '--requirepass', PASSWORD], async (redis) => {
        const REDIS_URL = `rediss://:${ESCAPED}@127.0.0.1:${port}`;
        await withOperator(redis, { REDIS_URL, NODE_EXTRA_CA_CERTS: files.ca }, expectCommit);
        await withOperator(redis, { REDIS_URL }, async (operator) => {
          const entry = await operator.waitForLog('Redis does not answer');
          expect(String(entry['error'])).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED|certificate/);
          expect(await operator.isReady()).toBe(false);
        });
      });
    });
  });
});

/** Redis can be built without TLS. */
function withTls(): ReturnType<typeof onlyWhere> {
  // It has nothing to listen on and ends at once, or does not know the option and says so.
  const { stdout, stderr } = spawnSync(server, ['--tls-port', '0', '--port', '0'], { timeout: 10_000 });
  const knows = !/Bad directive/.test(`${String(stdout)}${String(stderr)}`);
  return onlyWhere(knows ? undefined : 'the Redis server was built without TLS');
}
