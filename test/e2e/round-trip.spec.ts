import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { createGitRemote, type Commit, type GitRemote } from '../support/git-remote.ts';
import type { ObjectName } from '../support/kube.ts';
import { gitRepoConfig, startStage, waitForReady, watchRule, type ReverserStage } from '../support/reverser-stage.ts';
import type { CommandResult } from '../../tools/lib/run-command.ts';
import { waitFor } from '../support/wait-for.ts';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'round-trip');

/** The API server sends these to no webhook: they are watched and compared alone, and have no author. */
const NEVER_ADMITTED = new Set([
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
]);

/** Namespaces before what is in them; last what is only captured once the watch has found it: then it has found all. */
const rankOf = ({ kind }: ObjectName): number => (kind === 'Namespace' ? 0 : NEVER_ADMITTED.has(kind) ? 2 : 1);
const byRank = (left: ObjectName, right: ObjectName): number => rankOf(left) - rankOf(right);

const fixtures = readdirSync(FIXTURES).flatMap((file) =>
  parseAllDocuments(readFileSync(join(FIXTURES, file), 'utf8')).map((document) => ({
    file,
    object: document.toJS() as ObjectName,
  })),
);
const keyOf = ({ apiVersion, kind, metadata }: ObjectName): string =>
  [apiVersion, kind, metadata.namespace ?? '', metadata.name].join(' ');

/** A cluster with an operator that writes every kind of the fixtures to a repository. */
interface Side {
  stage: ReverserStage;
  remote: GitRemote;
  /** By {@link keyOf}: the fixtures' files in Git, once they were captured. */
  files: Map<string, { path: string; text: string }>;
  commits: Commit[];
}

describe('what is captured, applied to an empty cluster and captured again', () => {
  let first: Side;
  let second: Side;
  let applied: CommandResult;

  beforeAll(async () => {
    [first, second] = await Promise.all([startSide(), startSide()]);
    const alice = first.stage.cluster.asUser('alice');
    for (const object of fixtures.map(({ object }) => object).sort(byRank)) await alice.create(object);
    await capture(first);
    const input = [...first.files.values()]
      .map(({ text }) => text)
      .sort((left, right) => byRank(parse(left) as ObjectName, parse(right) as ObjectName))
      .join('---\n');
    applied = await second.stage.cluster.tryKubectl(['apply', '-f', '-'], { user: 'bob@example.com', input });
    await capture(second);
  }, 180_000);
  afterAll(async () => {
    await Promise.all([first, second].map(({ stage }) => stage.end()));
    await Promise.all([first, second].map(({ remote }) => remote.remove()));
  });

  async function startSide(): Promise<Side> {
    const [stage, remote] = await Promise.all([startStage(), createGitRemote()]);
    const { cluster } = stage;
    const own = await cluster.createNamespace();
    const types = fixtures.map(({ object: { apiVersion, kind } }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]);
    const resources = Object.values(Object.fromEntries(types) as Record<string, { apiVersion: string; kind: string }>);
    const repository = gitRepoConfig(own, 'repository', { url: remote.url });
    const rule = watchRule(own, 'every-kind', { gitRepoConfigRef: 'repository', resources });
    await cluster.admin.create(repository);
    await cluster.admin.create(rule);
    await waitForReady(cluster, repository, { status: 'True' }, { timeoutMs: 30_000 });
    await waitForReady(cluster, rule, { status: 'True' }, { timeoutMs: 30_000 });
    return { stage, remote, files: new Map(), commits: [] };
  }

  /** Waits for the operator's file of each fixture; a missing one fails its own test. */
  async function capture(side: Side): Promise<void> {
    const { remote, files } = side;
    const wanted = new Set(fixtures.map(({ object }) => keyOf(object)));
    const read = new Map<string, string>();
    const look = async (): Promise<boolean> => {
      for (const path of await remote.files()) if (!read.has(path)) read.set(path, keyOfFile(await remote.read(path)));
      return [...wanted].every((key) => [...read.values()].includes(key));
    };
    await waitFor('a file of each object', look, { timeoutMs: 30_000, intervalMs: 250 }).catch(() => undefined);
    for (const [path, key] of read) {
      if (wanted.has(key)) files.set(key, { path, text: String(await remote.read(path)) });
    }
    side.commits = await remote.log();
  }

  const keyOfFile = (text: string | undefined): string => keyOf(parse(String(text)) as ObjectName);

  it('covers every kind that a person writes', () => {
    expect(new Set(fixtures.map(({ object }) => object.kind)).size).toBeGreaterThanOrEqual(30);
  });

  it('applies as it is', () => {
    const errors = applied.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Warning: '));
    expect({ code: applied.code, errors }).toEqual({ code: 0, errors: [] });
  });

  it.each(fixtures)('gives the same bytes for $file', ({ object }) => {
    const file = first.files.get(keyOf(object));
    expect(file).toBeDefined();
    expect(second.files.get(keyOf(object))).toEqual(file);
  });

  it.each(fixtures)('commits $file once, by its author', ({ object }) => {
    for (const [side, user] of [
      [first, 'alice'],
      [second, 'bob@example.com'],
    ] as const) {
      const { path } = side.files.get(keyOf(object))!;
      const commits = side.commits.filter(({ files }) => files.some((file) => file.path === path));
      const told = commits.map(({ message, author }) => ({ by: author.name, subject: message.split('\n')[0] }));
      expect(told).toEqual([expectedCommit(object, user)]);
    }
  });

  function expectedCommit({ kind, metadata }: ObjectName, user: string): { by: string; subject: unknown } {
    if (NEVER_ADMITTED.has(kind)) return { by: 'GitOps Reverser', subject: expect.stringMatching(/^\[RESYNC\] /) };
    const place = metadata.namespace === undefined ? '' : ` in ns/${metadata.namespace}`;
    return { by: user, subject: `[CREATE] ${kind}/${metadata.name}${place} by user/${user}` };
  }
});
