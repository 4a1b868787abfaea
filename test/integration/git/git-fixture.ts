import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DEFAULT_AUTHOR_EMAIL_DOMAIN, DEFAULT_COMMITTER, type Change, type RepositoryTarget } from '#domain';
import {
  GitRepositories,
  InMemoryCommitSightings,
  parseCredentials,
  parseRepositoryUrl,
  type CommitSightings,
  type GitOptions,
  type GitRepository,
} from '#git';

const run = promisify(execFile);
Logger.overrideLogger(['error', 'fatal']);
jest.setTimeout(60_000); // real git and sshd on a busy machine

const ENVIRONMENT = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LC_ALL: 'C',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

/** One commit as a reader of the repository sees it. */
export interface SeenCommit {
  sha: string;
  author: string;
  committer: string;
  authorTime: number;
  committerTime: number;
  message: string;
}

/** A person with a work tree: commits and pushes with plain git, under dates of their choice. */
export class Person {
  constructor(
    private readonly folder: string,
    private readonly branch: string,
  ) {}

  async git(...args: string[]): Promise<string> {
    return git(this.folder, args);
  }

  async commit(files: Record<string, string | null>, time: number = Date.now()): Promise<string> {
    for (const [path, content] of Object.entries(files)) {
      if (content === null) {
        await this.git('rm', '-q', '--', path);
        continue;
      }
      await mkdir(dirname(join(this.folder, path)), { recursive: true });
      await writeFile(join(this.folder, path), content);
      await this.git('add', '--', path);
    }
    const date = `${Math.floor(time / 1000)} +0000`;
    await git(this.folder, ['commit', '-q', '--allow-empty', '-m', 'a person was here'], {
      GIT_COMMITTER_DATE: date,
      GIT_AUTHOR_DATE: date,
    });
    return (await this.git('rev-parse', 'HEAD')).trim();
  }

  async pull(): Promise<void> {
    await this.git('fetch', '-q', 'origin');
    await this.git('reset', '-q', '--hard', `origin/${this.branch}`);
  }

  async push(...options: string[]): Promise<void> {
    await this.git('push', '-q', ...options, 'origin', `HEAD:refs/heads/${this.branch}`);
  }
}

/** A bare repository to push to, and a data directory, in a folder that `end` removes. */
export class GitFixture {
  private readonly open: GitRepository[] = [];

  private constructor(readonly folder: string) {}

  static async make(): Promise<GitFixture> {
    const fixture = new GitFixture(await mkdtemp(join(tmpdir(), 'reverser-git-')));
    await git(fixture.folder, ['init', '-q', '--bare', '--initial-branch=main', fixture.bare]);
    await git(fixture.bare, ['config', 'uploadpack.allowFilter', 'true']);
    await git(fixture.bare, ['config', 'http.receivepack', 'true']);
    return fixture;
  }

  get bare(): string {
    return join(this.folder, 'org', 'audit.git');
  }

  get root(): string {
    return this.folder;
  }

  get dataDir(): string {
    return join(this.folder, 'data');
  }

  get url(): string {
    return `file://${this.bare}`;
  }

  target(overrides: Partial<RepositoryTarget> = {}): RepositoryTarget {
    return {
      key: { namespace: 'team-a', name: 'audit' },
      url: this.url,
      branch: 'main',
      path: '',
      committer: DEFAULT_COMMITTER,
      authorEmailDomain: DEFAULT_AUTHOR_EMAIL_DOMAIN,
      ...overrides,
    };
  }

  repository(
    overrides: Partial<RepositoryTarget> = {},
    secret?: Record<string, string>,
    options: Partial<GitOptions> = {},
    sightings: CommitSightings = new InMemoryCommitSightings(),
  ): GitRepository {
    const target = this.target(overrides);
    const url = parseRepositoryUrl(target.url, { allowFileUrls: true });
    const data = secret && Object.fromEntries(Object.entries(secret).map(([key, text]) => [key, Buffer.from(text)]));
    const repositories = new GitRepositories({ dataDir: this.dataDir, ...options }, sightings);
    const repository = repositories.open(target, parseCredentials(data, url), url);
    this.open.push(repository);
    return repository;
  }

  async person(branch = 'main'): Promise<Person> {
    const folder = await mkdtemp(join(this.folder, 'person-'));
    await git(folder, ['clone', '-q', this.url, '.']);
    await git(folder, ['config', 'user.name', 'Paula']);
    await git(folder, ['config', 'user.email', 'paula@company.com']);
    return new Person(folder, branch);
  }

  async git(...args: string[]): Promise<string> {
    return git(this.bare, args);
  }

  async hook(name: string, script: string): Promise<void> {
    await mkdir(join(this.bare, 'hooks'), { recursive: true });
    await writeFile(join(this.bare, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  /** The branch's commits, oldest first. */
  async log(branch = 'main'): Promise<SeenCommit[]> {
    const format = '%H%x01%an <%ae>%x01%cn <%ce>%x01%at%x01%ct%x01%B';
    const text = await this.git('log', '-z', '--reverse', '--topo-order', `--format=${format}`, `refs/heads/${branch}`);
    return text
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => {
        const [sha = '', author = '', committer = '', authorTime = '', committerTime = '', message = ''] =
          entry.split('\u0001');
        return {
          sha,
          author,
          committer,
          authorTime: Number(authorTime),
          committerTime: Number(committerTime),
          message,
        };
      });
  }

  async files(branch = 'main'): Promise<string[]> {
    return (await this.git('ls-tree', '-r', '-z', '--name-only', `refs/heads/${branch}`))
      .split('\0')
      .filter((path) => path !== '');
  }

  async read(path: string, branch = 'main'): Promise<string> {
    return this.git('show', `refs/heads/${branch}:${path}`);
  }

  async end(): Promise<void> {
    await Promise.allSettled(this.open.map((repository) => repository.close()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function git(folder: string, args: string[], environment: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run('git', args, {
    cwd: folder,
    env: { ...ENVIRONMENT, ...environment },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

let serial = 0; // only makes ids differ

/** A change of a ConfigMap, admitted now; override what a test is about. */
export function change(name: string, content: string | null, overrides: Partial<Change> = {}): Change {
  serial += 1;
  return {
    eventId: `00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`,
    origin: 'admitted',
    operation: content === null ? 'DELETE' : 'UPDATE',
    object: {
      group: '',
      version: 'v1',
      kind: 'ConfigMap',
      resource: 'configmaps',
      namespace: 'production',
      name,
      uid: `uid-${name}`,
    },
    user: 'admin@company.com',
    alsoRequestedBy: [],
    admittedAt: Date.now(),
    resourceVersion: String(1000 + serial),
    content,
    managers: [],
    ...overrides,
  };
}

/** Where {@link change} puts its file. */
export function pathOf(name: string): string {
  return `namespaces/production/ConfigMap/${name}.yaml`;
}
