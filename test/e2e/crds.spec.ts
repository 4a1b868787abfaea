import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { gitRepoConfig, watchRule } from '../support/reverser-stage.ts';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'crds');
const samples = (kind: 'valid' | 'invalid'): { name: string; text: string }[] =>
  readdirSync(join(FIXTURES, kind)).map((name) => ({ name, text: readFileSync(join(FIXTURES, kind, name), 'utf8') }));

describe('the custom resources on a real API server', () => {
  let cluster: TestCluster;
  let namespace: string;
  beforeAll(async () => {
    cluster = await startTestCluster();
    namespace = await cluster.createNamespace();
  });
  afterAll(() => cluster.stop());

  it.each(samples('valid'))('takes $name as it stands', async ({ text }) => {
    const args = ['apply', '--dry-run=server', '--namespace', namespace, '-f', '-'];
    expect(await cluster.kubectl(args, { input: text })).toMatch(/created \(server dry run\)/);
  });

  it.each(samples('invalid'))('refuses $name and says why', async ({ text }) => {
    const expected = /^# expect: (.+)$/m.exec(text)?.[1];
    const args = ['create', '--dry-run=server', '--validate=false', '--namespace', namespace, '-f', '-'];
    const { code, stderr } = await cluster.tryKubectl(args, { input: text });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(String(expected)) });
  });

  it('shows a repository with kubectl as its user thinks of it', async () => {
    const repository = gitRepoConfig(namespace, 'shown', { url: 'ssh://git@git.example.com/audit.git' });
    await cluster.admin.create(repository);
    const message = 'The repository can be read and pushed to.';
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message,
      lastTransitionTime: '2026-01-31T18:30:00Z',
    };
    const status = {
      conditions: [ready],
      lastCommit: { sha: 'abcdef'.padEnd(40, '0'), time: '2026-01-31T18:30:00Z' },
      pendingEvents: 3,
    };
    await cluster.admin.patch(repository, { status }, { subresource: 'status' });
    const lines = (await cluster.kubectl(['get', 'grc', 'shown', '--namespace', namespace])).split('\n');
    expect(lines[0]?.split(/ {2,}/).map((title) => title.trim())).toEqual(
      expect.arrayContaining(['NAME', 'URL', 'BRANCH', 'READY', 'REASON', 'LAST COMMIT', 'PENDING', 'AGE']),
    );
    expect(lines[1]).toMatch(/^shown +ssh:\/\/git@git\.example\.com\/audit\.git +main +True +Ready +abcdef0{34} +3 /);
    const wide = await cluster.kubectl(['get', 'grc', 'shown', '--namespace', namespace, '-o', 'wide']);
    expect(wide).toContain(message);
  });

  it('shows a rule with kubectl as its user thinks of it', async () => {
    const rule = watchRule(namespace, 'shown', { gitRepoConfigRef: 'shown' });
    await cluster.admin.create(rule);
    const message = 'The GitRepoConfig shown does not exist.';
    const ready = { type: 'Ready', status: 'False', reason: 'GitRepoConfigNotFound', message };
    const conditions = [{ ...ready, lastTransitionTime: '2026-01-31T18:30:00Z' }];
    await cluster.admin.patch(rule, { status: { conditions } }, { subresource: 'status' });
    const text = await cluster.kubectl(['get', 'watchrules', 'shown', '--namespace', namespace, '-o', 'wide']);
    expect(text).toMatch(/^shown +shown .*False +GitRepoConfigNotFound/m);
    expect(text).toContain(message);
  });

  it('lists both by their category', async () => {
    const text = await cluster.kubectl(['get', 'gitops-reverser', '--namespace', namespace, '-o', 'name']);
    expect(text).toContain('gitrepoconfig.configbutler.ai/shown');
    expect(text).toContain('watchrule.configbutler.ai/shown');
  });
});
