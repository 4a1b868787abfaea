import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTempDir, removeTempDir } from '../../tools/lib/temp-dir.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { createGitRemote, type GitRemote } from '../support/git-remote.ts';
import { withMounts } from '../support/mounts.ts';
import { OPERATOR_NAMESPACE, startOperator, type Operator } from '../support/operator.ts';
import { startRedis, type Redis } from '../support/redis.ts';
import { configMap, operatorOptions, secret, startWatching } from '../support/reverser-stage.ts';

const MANIFEST = join(import.meta.dirname, '..', '..', 'docs', 'install', 'operator.yaml');
const NAME = 'gitops-reverser';

/**
 * Gives a command what a pod has: the kubelet's folder with token and CA, which has a fixed path. It is mounted in a mount
 * namespace of its own, so nobody else sees it.
 */
const AS_IN_A_POD = [
  'set -eu',
  'files=$1',
  'shift',
  'mount -t tmpfs tmpfs "$(readlink -f /var/run)"',
  'mkdir -p /var/run/secrets/kubernetes.io/serviceaccount',
  'cp "$files"/* /var/run/secrets/kubernetes.io/serviceaccount/',
  'exec "$@"',
].join('\n');

withMounts().describe('the operator with what a pod has', () => {
  let cluster: TestCluster;
  let redis: Redis;
  let remote: GitRemote;
  let files: string;
  let operator: Operator;

  beforeAll(async () => {
    [cluster, redis, remote, files] = await Promise.all([
      startTestCluster(),
      startRedis(),
      createGitRemote(),
      makeTempDir('service-account'),
    ]);
    await cluster.kubectl(['apply', '-f', MANIFEST]);
    // No controller runs here that would aggregate the reader's role.
    const reader = `${NAME}-reader-built-in`;
    const binding = ['create', 'clusterrolebinding', reader, `--clusterrole=${reader}`];
    await cluster.kubectl([...binding, `--serviceaccount=${OPERATOR_NAMESPACE}:${NAME}`]);
    const token = await cluster.kubectl(['create', 'token', NAME, '-n', OPERATOR_NAMESPACE]);
    await writeFile(join(files, 'token'), token);
    await writeFile(join(files, 'namespace'), OPERATOR_NAMESPACE);
    await copyFile(cluster.controlPlane.caFile, join(files, 'ca.crt'));
    const { hostname, port } = new URL(cluster.controlPlane.url);
    operator = await startOperator({
      ...operatorOptions(cluster, redis, {
        ...{ KUBECONFIG: '', KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
        INSTANCE_NAME: NAME, // the manifest's rights are for this name
      }),
      wrapper: ['unshare', '--mount', 'sh', '-c', AS_IN_A_POD, 'as-in-a-pod', files],
    });
  });
  afterAll(async () => {
    await operator.remove();
    await Promise.all([cluster.stop(), redis.remove(), remote.remove(), removeTempDir(files)]);
  });

  it("finds the cluster, and works with the manifest's rights", async () => {
    const { namespace } = await startWatching(cluster, { url: remote.url });
    await cluster.asUser('alice').create(configMap(namespace, 'app', { a: '1' }));
    const commit = await remote.waitForCommit(`[CREATE] ConfigMap/app in ns/${namespace} by user/alice`);
    expect(commit.author.name).toBe('alice');
    expect(await cluster.admin.find(secret(OPERATOR_NAMESPACE, `${NAME}-webhook-tls`, {}))).toBeDefined();
    expect(JSON.stringify(operator.log)).not.toMatch(/forbidden/i);
  });

  it('keeps its token to itself', async () => {
    const token = (await readFile(join(files, 'token'), 'utf8')).trim();
    expect(token.length).toBeGreaterThan(100);
    expect(operator.tail(500)).not.toContain(token);
  });
});
