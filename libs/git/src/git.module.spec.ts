import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { DEFAULT_COMMITTER, type RepositoryTarget } from '#domain';
import { COMMIT_SIGHTINGS, InMemoryCommitSightings } from './commit-sightings.ts';
import { GitModule } from './git.module.ts';
import { GitRepositories } from './git-repositories.ts';
import { parseRepositoryUrl } from './parse-repository-url.ts';

const target: RepositoryTarget = {
  key: { namespace: 'a', name: 'b' },
  url: 'file:///srv/audit.git',
  branch: 'main',
  path: '',
  committer: DEFAULT_COMMITTER,
  authorEmailDomain: 'x',
};
const url = parseRepositoryUrl(target.url, { allowFileUrls: true });

describe('the Git module', () => {
  it('gives repositories by options that are known at once or later, and takes another store of sightings', async () => {
    const sightings = new InMemoryCommitSightings();
    const dynamic = [
      GitModule.forRoot({ dataDir: '/nowhere' }),
      GitModule.forRootAsync({
        useFactory: async () => ({ dataDir: '/nowhere' }),
        sightings: { provide: COMMIT_SIGHTINGS, useValue: sightings },
      }),
    ];
    for (const imported of dynamic) {
      const module = await Test.createTestingModule({ imports: [imported] }).compile();
      expect(module.get(GitRepositories).open(target, undefined, url)).toBeDefined();
      await module.close();
    }
  });

  it('refuses a branch or a path that can not be, before it asks any remote', () => {
    const repositories = new GitRepositories({ dataDir: '/nowhere' }, new InMemoryCommitSightings());
    expect(() => repositories.open({ ...target, branch: '-f' }, undefined, url)).toThrow(
      expect.objectContaining({ code: 'BranchInvalid' }),
    );
    expect(() => repositories.open({ ...target, path: '../x' }, undefined, url)).toThrow(
      expect.objectContaining({ code: 'PathInvalid' }),
    );
  });
});
