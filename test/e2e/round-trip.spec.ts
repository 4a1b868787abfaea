import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Test } from '@nestjs/testing';
import { SanitizerModule, SanitizerService } from '#sanitizer';
import { parse, parseAllDocuments } from 'yaml';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { createGitRemote, type GitRemote } from '../support/git-remote.ts';
import type { LiveObject, ObjectName } from '../support/kube.ts';
import { gitRepoConfig, startStage, waitForReady, watchRule, type ReverserStage } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'round-trip');

/** The API server sends these to no webhook: resync alone captures them. */
const NEVER_ADMITTED = new Set([
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
]);

const fixtures = readdirSync(FIXTURES).flatMap((file) =>
  parseAllDocuments(readFileSync(join(FIXTURES, file), 'utf8')).map((document) => ({
    file,
    object: document.toJS() as ObjectName,
  })),
);
const admitted = fixtures.filter(({ object }) => !NEVER_ADMITTED.has(object.kind));
const keyOf = ({ apiVersion, kind, metadata }: ObjectName): string =>
  [apiVersion, kind, metadata.namespace ?? '', metadata.name].join(' ');

describe('what is captured, applied to an empty cluster and captured again', () => {
  let stage: ReverserStage;
  let empty: TestCluster;
  let remote: GitRemote;
  let sanitizer: SanitizerService;
  /** The file of each fixture's object as it came from the first cluster. */
  const captured = new Map<string, string>();
  let applied = '';

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [SanitizerModule.register({ digestKey: () => Buffer.alloc(32, 7) })],
    }).compile();
    sanitizer = module.get(SanitizerService);
    [stage, empty, remote] = await Promise.all([startStage(), startTestCluster(), createGitRemote()]);
    await captureAll();
    const files = [...captured.values()].sort((a, b) => rank(a) - rank(b));
    const result = await empty.tryKubectl(['apply', '-f', '-'], { input: files.join('---\n') });
    applied = result.stdout + result.stderr;
  }, 120_000);
  afterAll(async () => {
    await Promise.all([stage.end(), empty.stop()]);
    await remote.remove();
  });

  /** Namespaces before what is in them. */
  function rank(file: string): number {
    return (parse(file) as ObjectName).kind === 'Namespace' ? 0 : 1;
  }

  async function captureAll(): Promise<void> {
    const { cluster } = stage;
    const own = await cluster.createNamespace();
    const types = new Map(
      admitted.map(({ object: { apiVersion, kind } }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]),
    );
    const rule = watchRule(own, 'every-kind', { gitRepoConfigRef: 'repository', resources: [...types.values()] });
    await cluster.admin.create(gitRepoConfig(own, 'repository', { url: remote.url }));
    await cluster.admin.create(rule);
    await waitForReady(cluster, rule, { status: 'True' }, { timeoutMs: 20_000 });
    const alice = cluster.asUser('alice');
    for (const { object } of fixtures) if (object.kind === 'Namespace') await alice.create(object);
    for (const { object } of fixtures) if (object.kind !== 'Namespace') await alice.create(object);

    const read = new Map<string, string>();
    await waitFor(
      'a file of each object',
      async () => {
        for (const path of await remote.files()) {
          if (!read.has(path)) read.set(path, String(await remote.read(path)));
        }
        for (const text of read.values()) captured.set(keyOf(parse(text) as ObjectName), text);
        return admitted.every(({ object }) => captured.has(keyOf(object)));
      },
      { timeoutMs: 30_000, intervalMs: 250 },
    ).catch(() => undefined); // each missing one fails its own test
    const wanted = new Set(admitted.map(({ object }) => keyOf(object)));
    for (const key of captured.keys()) if (!wanted.has(key)) captured.delete(key);
    for (const { object } of fixtures.filter(({ object }) => NEVER_ADMITTED.has(object.kind))) {
      captured.set(keyOf(object), sanitized(await cluster.admin.get(object)));
    }
  }

  function sanitized(live: LiveObject): string {
    return sanitizer.sanitize(live).content;
  }

  it('covers every kind that a person writes', () => {
    expect(new Set(fixtures.map(({ object }) => object.kind)).size).toBeGreaterThanOrEqual(30);
  });

  it.each(fixtures)('gives the same bytes for $file', async ({ object }) => {
    const first = captured.get(keyOf(object));
    expect(first).toBeDefined();
    const live = await empty.admin.find(object);
    expect({ key: keyOf(object), live: live !== undefined, applied: live === undefined ? applied : '' }).toEqual({
      key: keyOf(object),
      live: true,
      applied: '',
    });
    expect(sanitized(live!)).toBe(first);
  });

  it.each(admitted)('commits the creation of $file by its author, once', async ({ object }) => {
    const { kind, metadata } = object;
    const commits = (await remote.log()).filter(({ message }) =>
      message.startsWith(`[CREATE] ${kind}/${metadata.name} `),
    );
    expect(commits.map(({ message }) => message.split(' by ')[1]?.split('\n')[0])).toContain('user/alice');
  });
});
