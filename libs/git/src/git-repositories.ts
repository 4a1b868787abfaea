import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { repositoryKeyText, type RepositoryTarget } from '#domain';
import { BareClone } from './bare-clone.ts';
import { BranchView } from './branch-view.ts';
import { checkBranch } from './check-branch.ts';
import { COMMIT_SIGHTINGS, type CommitSightings } from './commit-sightings.ts';
import { GitClient } from './git-client.ts';
import {
  baseEnvironment,
  endConnectionArguments,
  keepsConnection,
  remoteEnvironment,
  type CredentialFiles,
} from './git-environment.ts';
import { GIT_OPTIONS, type GitOptions } from './git-options.ts';
import { GitRepository } from './git-repository.ts';
import { guardDataDir } from './guard-data-dir.ts';
import { checkSpecPath } from './object-path.ts';
import { secretTexts, type GitCredentials } from './parse-credentials.ts';
import { runProcess } from './run-process.ts';
import type { RepositoryUrl } from './parse-repository-url.ts';

/** Milliseconds that one exchange with a remote may take before it counts as hanging. */
const REMOTE_TIME_LIMIT = 60_000;

/** Makes repositories; each keeps its clone and its credential files in a folder of its own, so no tenant sees another's. */
@Injectable()
export class GitRepositories implements OnApplicationShutdown {
  private readonly opened = new Set<GitRepository>();

  constructor(
    @Inject(GIT_OPTIONS) private readonly options: GitOptions,
    @Inject(COMMIT_SIGHTINGS) private readonly sightings: CommitSightings,
  ) {}

  /** @throws {GitError} BranchInvalid, PathInvalid; the remote is not asked yet */
  open(target: RepositoryTarget, credentials: GitCredentials | undefined, url: RepositoryUrl): GitRepository {
    checkBranch(target.branch);
    checkSpecPath(target.path);
    const access: GitCredentials = credentials ?? { kind: 'anonymous' };
    const { dataDir } = this.options;
    const identity = `${repositoryKeyText(target.key)}\0${url.normalized}\0${target.branch}`;
    const folder = join(dataDir, 'clones', createHash('sha256').update(identity).digest('hex').slice(0, 32));
    const secretFolder = join(dataDir, 'credentials', randomUUID().slice(0, 18));
    const files: CredentialFiles = {
      privateKey: join(secretFolder, 'identity'),
      knownHosts: join(secretFolder, 'known_hosts'),
      ca: join(secretFolder, 'ca.crt'),
      control: join(secretFolder, 's'),
    };
    const local = baseEnvironment(dataDir, this.options.environment ?? {});
    const client = new GitClient({
      folder,
      localEnvironment: local,
      remoteEnvironment: remoteEnvironment(local, url, access, files),
      authenticated: access.kind !== 'anonymous',
      secrets: secretTexts(access),
      remoteTimeLimit: this.options.remoteTimeLimit ?? REMOTE_TIME_LIMIT,
    });
    const clone = new BareClone(folder, url, target.branch, client);
    const repository: GitRepository = new GitRepository({
      target,
      url,
      clone,
      view: new BranchView(clone, target, url.normalized, this.sightings),
      prepare: () => writeCredentials(secretFolder, files, access),
      dispose: async () => {
        this.opened.delete(repository);
        if (access.kind === 'ssh' && keepsConnection(files)) await endConnection(files, local);
        await guardDataDir(secretFolder, () => rm(secretFolder, { recursive: true, force: true }));
      },
    });
    this.opened.add(repository);
    return repository;
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.allSettled([...this.opened].map((repository) => repository.close()));
  }
}

async function endConnection(files: CredentialFiles, env: Readonly<Record<string, string>>): Promise<void> {
  // Without a connection ssh says so, and there is nothing to end.
  await runProcess({ command: 'ssh', args: endConnectionArguments(files), cwd: '/', env, timeLimit: 5000 });
}

/** Written before each use: DATA_DIR may be emptied at any time. */
async function writeCredentials(folder: string, files: CredentialFiles, credentials: GitCredentials): Promise<void> {
  const contents: [string, string][] = [];
  if (credentials.kind === 'ssh')
    contents.push([files.privateKey, credentials.privateKey], [files.knownHosts, credentials.knownHosts]);
  else if (credentials.ca !== undefined) contents.push([files.ca, credentials.ca]);
  if (contents.length === 0) return;
  await guardDataDir(folder, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [file, content] of contents) await writeFile(file, content, { mode: 0o600 });
  });
}
