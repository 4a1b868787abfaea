import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../tools/lib/run-command.ts';
import { startStage, waitUntilReady, type Scene, type Stage } from '../support/e2e-stage.ts';
import { startOperator, type Operator } from '../support/operator.ts';

const SECRETS = { resources: [{ apiVersion: 'v1', kind: 'Secret' }] };
const PASSWORDS = ['correct-horse-battery-staple', 'tr0ub4dor-and-three-more'];

describe('a Secret', () => {
  let stage: Stage;
  const ended: Operator[] = [];
  beforeAll(async () => {
    stage = await startStage({ env: { LOG_LEVEL: 'trace' } });
  });
  afterEach(() => stage.endScenes());
  afterAll(async () => {
    await Promise.all(ended.map((operator) => operator.remove()));
    await stage.stop();
  });

  const secretOf = (scene: Scene, password: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: scene.namespace, name: 'login', annotations: { 'example.com/plain': password } },
    stringData: { user: 'shop-database-user', password },
  });
  const fileOf = async (scene: Scene): Promise<string> =>
    (await scene.remote.read(`namespaces/${scene.namespace}/Secret/login.yaml`)) ?? '';
  const digestOf = async (scene: Scene): Promise<string> =>
    /^#.*\b([0-9a-f]{64})\b/m.exec(await fileOf(scene))?.[1] ?? 'no digest';

  it('is in Git with its keys and without its values', async () => {
    const scene = await stage.scene(SECRETS);
    await stage.cluster.asUser('alice').create(secretOf(scene, PASSWORDS[0]!));
    await scene.waitForCommits(1);
    const text = await fileOf(scene);
    expect(text).toMatch(/^# .*redacted/im);
    expect(text).toMatch(/^ {2}password: /m);
    expect(text).toMatch(/^ {2}user: /m);
    expect(await digestOf(scene)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is a commit when a value is rotated, none when it is not, and after a restart too', async () => {
    const scene = await stage.scene(SECRETS);
    const [first, second] = PASSWORDS as [string, string];
    const { admin } = stage.cluster;
    // Nothing but the value tells the versions apart.
    const secret = { ...secretOf(scene, first), metadata: { namespace: scene.namespace, name: 'login' } };
    await admin.create(secret);
    await scene.waitForCommits(1);
    const before = await digestOf(scene);
    await admin.patch(secret, { stringData: { password: first } });
    await stage.cluster.asUser('alice').patch(secret, { stringData: { password: second } });
    await scene.waitForCommits(2);
    const rotated = await digestOf(scene);
    expect(rotated).not.toBe(before);

    await restart(stage, ended);
    await waitUntilReady(stage.cluster, scene.repository);
    await admin.patch(secret, { stringData: { password: second } });
    await stage.cluster.asUser('bob@example.com').patch(secret, { metadata: { labels: { team: 'shop' } } });
    await scene.waitForCommits(3);
    expect(await digestOf(scene)).toBe(rotated);
    await stage.cluster.asUser('carol').patch(secret, { stringData: { password: first } });
    await scene.waitForCommits(4);
    expect(await digestOf(scene)).toBe(before);
    expect(await scene.subjects()).toEqual([
      '[CREATE] Secret/login by admin',
      '[UPDATE] Secret/login by alice',
      '[UPDATE] Secret/login by bob@example.com',
      '[UPDATE] Secret/login by carol',
    ]);
  });

  it('by kubectl apply leaves no value in Git, Redis, log, metrics or the clone', async () => {
    const scene = await stage.scene(SECRETS);
    for (const password of PASSWORDS) {
      const input = JSON.stringify(secretOf(scene, password));
      await stage.cluster.kubectl(['apply', '-f', '-'], { user: 'alice', input });
    }
    await scene.waitForCommits(2);
    await stage.cluster.admin.delete(secretOf(scene, ''));
    await scene.waitForCommits(3);
    const places = {
      'the remote': await allGitObjects(scene.remote.dir),
      'the clones': (await Promise.all((await findClones(stage.operator.dataDir)).map(allGitObjects))).join('\n'),
      Redis: await dumpRedis(stage.redis.url),
      'the log': JSON.stringify(stage.operator.log) + stage.operator.tail(500),
      'the metrics': await stage.operator.metrics(),
    };
    const values = [...PASSWORDS, 'shop-database-user'];
    const spellings = values.flatMap((value) => [value, Buffer.from(value).toString('base64')]);
    for (const [place, text] of Object.entries(places)) {
      expect({ place, empty: text === '' }).toEqual({ place, empty: false });
      expect({ place, found: spellings.filter((spelling) => text.includes(spelling)) }).toEqual({ place, found: [] });
    }
    // The look is able to find: what may be there is there.
    expect(places['the remote']).toContain('Secret/login');
    expect(places['the clones']).toContain('Secret/login');
    expect(places.Redis).toContain('login');
  });
});

/** Ends the operator and starts another one in its place. */
async function restart(stage: Stage, ended: Operator[]): Promise<void> {
  const { operator, cluster, redis } = stage;
  await operator.stop();
  ended.push(operator);
  stage.operator = await startOperator({
    kubeconfig: cluster.kubeconfigFor('admin'),
    redisUrl: redis.url,
    env: operator.env,
  });
}

async function allGitObjects(dir: string): Promise<string> {
  return runCommand('git', ['-C', dir, 'cat-file', '--batch-all-objects', '--batch', '--buffer'], {
    env: { PATH: process.env['PATH'], GIT_NO_LAZY_FETCH: '1' },
  });
}

async function findClones(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.name === 'objects').map((entry) => join(entry.parentPath));
}

/** Every key with its value as text. */
async function dumpRedis(url: string): Promise<string> {
  const redis = new Redis(url);
  try {
    const parts: string[] = [];
    for (const key of await redis.keys('*')) {
      const readers: Record<string, () => Promise<unknown>> = {
        string: () => redis.get(key),
        hash: () => redis.hgetall(key),
        list: () => redis.lrange(key, 0, -1),
        set: () => redis.smembers(key),
        zset: () => redis.zrange(key, '0', '-1'),
        stream: () => redis.xrange(key, '-', '+'),
      };
      const type = await redis.type(key);
      const read = readers[type];
      if (read === undefined && type !== 'none') throw new Error(`${key} is of an unknown type ${type}`);
      parts.push(key, JSON.stringify(await read?.()));
    }
    return parts.join('\n');
  } finally {
    redis.disconnect();
  }
}
