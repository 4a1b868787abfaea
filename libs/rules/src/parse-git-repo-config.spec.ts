import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '#domain';
import fc from 'fast-check';
import { parseGitRepoConfig } from './parse-git-repo-config.ts';

const url = 'git@github.com:yourorg/k8s-audit.git';

function configWith(spec: unknown): KubeObject {
  const metadata = { name: 'audit-repo', namespace: 'team', uid: 'u-1', generation: 2 };
  return { apiVersion: 'configbutler.ai/v1alpha1', kind: 'GitRepoConfig', metadata, spec };
}

function problemsOf(spec: unknown): string[] {
  const result = parseGitRepoConfig(configWith(spec));
  return 'problems' in result ? result.problems : [];
}

describe('parseGitRepoConfig', () => {
  it('applies the defaults', () => {
    const key = { namespace: 'team', name: 'audit-repo' };
    const result = parseGitRepoConfig(configWith({ url }));
    expect(result).toMatchObject({
      config: {
        key,
        uid: 'u-1',
        generation: 2,
        target: {
          key,
          url,
          branch: 'main',
          path: '',
          committer: { name: 'GitOps Reverser', email: 'gitops-reverser@users.noreply.cluster.local' },
          authorEmailDomain: 'users.noreply.cluster.local',
        },
        suspend: false,
        prune: false,
      },
    });
    expect(result).not.toHaveProperty('config.secretName');
  });

  it('keeps what was written, and fills in the half of a committer that is missing', () => {
    const spec = {
      url,
      branch: 'audit/a',
      path: 'clusters/a/',
      secretRef: { name: 'git-credentials' },
      suspend: true,
      prune: true,
      commit: { committer: { name: 'Émile' }, authorEmailDomain: 'example.com' },
    };
    expect(parseGitRepoConfig(configWith(spec))).toMatchObject({
      config: {
        target: {
          branch: 'audit/a',
          path: 'clusters/a',
          committer: { name: 'Émile', email: 'gitops-reverser@users.noreply.cluster.local' },
          authorEmailDomain: 'example.com',
        },
        secretName: 'git-credentials',
        suspend: true,
        prune: true,
      },
    });
  });

  it.each([
    'ssh://git@git.example.com:2222/platform/audit.git',
    'git@[2001:db8::1]:/srv/audit.git',
    'backup-host:audit.git',
    'git@host:~/audit.git',
    'https://dev.azure.com/org/project/_git/re%20po',
    'http://git.local:3000/a/b.git',
    'file:///srv/git repositories/audit.git',
  ])('accepts the URL %s', (text) => {
    expect(problemsOf({ url: text })).toEqual([]);
  });

  it.each([
    { text: 'https://user:hunter2@github.com/org/repo', expected: 'must not hold credentials' },
    { text: 'https://token@github.com/org/repo', expected: 'must not hold credentials' },
    { text: 'ssh://git:hunter2@github.com/org/repo', expected: 'must not hold credentials' },
    { text: 'ext::sh -c id', expected: 'write the URL as' },
    { text: '--upload-pack=id', expected: 'write the URL as' },
    { text: 'ssh://-oProxyCommand=id/repo', expected: 'write the URL as' },
    { text: '-oProxyCommand=id:repo', expected: 'write the URL as' },
    { text: 'https:/github.com/org/repo', expected: 'write the URL as' },
    { text: 'C:/repos/audit.git', expected: 'write the URL as' },
    { text: 'https://github.com', expected: 'write the URL as' },
    { text: 'https://github.com/a\nb', expected: 'write the URL as' },
    { text: '', expected: 'write the URL as' },
  ])('refuses the URL $text without repeating it', ({ text, expected }) => {
    const problems = problemsOf({ url: text });
    expect(problems).toEqual([expect.stringContaining(expected)]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it.each<{ description: string; spec: object; expected: string[] }>([
    {
      description: 'every mistake of a branch',
      spec: { branch: '/a..b~.lock' },
      expected: [
        'spec.branch: a branch name must not hold spaces, control characters or any of ~ ^ : ? * [ \\: choose another name',
        "spec.branch: a branch name must not hold '..', '@{' or '//', nor be '@': choose another name",
        "spec.branch: a branch name must not begin or end with '/' nor end with '.'",
        "spec.branch: no part of a branch name between slashes may begin with '.' or end with '.lock'",
      ],
    },
    {
      description: 'a path that leaves the tree',
      spec: { path: '/../.git' },
      expected: [
        "spec.path: the path must not begin with '/', it is relative to the root of the repository",
        "spec.path: the path must not hold '.' or '..' as a folder, write the folder's own name",
        'spec.path: the path must not hold .git as a folder, choose another name',
      ],
    },
    {
      description: 'an injected committer',
      spec: { commit: { committer: { name: 'a\nb', email: '<x@y>' }, authorEmailDomain: '@example.com' } },
      expected: [
        'spec.commit.committer.name: write a name of one line without < and >',
        'spec.commit.committer.email: write an e-mail address such as reverser@example.com',
        "spec.commit.authorEmailDomain: write a domain name such as example.com, without '@'",
      ],
    },
    {
      description: 'a Secret without a name',
      spec: { secretRef: {} },
      expected: ['spec.secretRef.name: must be a text'],
    },
    {
      description: 'a commit that is a list',
      spec: { commit: [] },
      expected: ['spec.commit: must hold committer and authorEmailDomain'],
    },
    {
      description: 'a flag that is a text',
      spec: { suspend: 'yes' },
      expected: ['spec.suspend: must be true or false'],
    },
  ])('reports $description', ({ spec, expected }) => {
    expect(problemsOf({ url, ...spec }).toSorted()).toEqual(expected.toSorted());
  });

  it('never throws, whatever the object holds', () => {
    const hostile = fc.anything({
      withNullPrototype: true,
      key: fc.constantFrom('name', 'committer', '__proto__', 'constructor'),
    });
    const field = fc.constantFrom(
      'url',
      'branch',
      'secretRef',
      'path',
      'suspend',
      'commit',
      '__proto__',
      'constructor',
    );
    const spec = fc.oneof(
      hostile,
      fc.dictionary(field, hostile).map((fields) => ({ url, ...fields })),
    );
    fc.assert(
      fc.property(spec, (value) => {
        const result = parseGitRepoConfig(configWith(value));
        expect('config' in result || result.problems.length > 0).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
