import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runCommand, tryCommand } from '../lib/run-command.ts';
import { makeTempDir, removeTempDir } from '../lib/temp-dir.ts';
import { waitFor, type WaitOptions } from '../lib/wait-for.ts';
import { hermeticGitEnv } from './git-env.ts';
import { parseCommits, type Commit } from './parse-commits.ts';

export type { Commit } from './parse-commits.ts';

interface PersonalCommit {
  author?: { name: string; email: string };
  message?: string;
  /** Path → content; `null` removes the file. */
  files: Record<string, string | null>;
  /** Author and committer date; now by default. */
  date?: Date;
  branch?: string;
}

/** A bare repository in a temporary folder, as the Git host that the operator pushes to. */
export interface GitRemote {
  /** Of the bare repository. */
  readonly dir: string;
  /** `file://…`. */
  readonly url: string;
  /** Runs git in the bare repository; throws unless it succeeds. */
  git(...args: string[]): Promise<string>;
  /** First parent last; empty where the branch does not exist. */
  log(branch?: string): Promise<Commit[]>;
  tip(branch?: string): Promise<string | undefined>;
  /** Every path of the branch's newest commit, sorted. */
  files(branch?: string): Promise<string[]>;
  /** A file's text on a branch or in a commit, by its whole id; `undefined` where there is none. */
  read(path: string, at?: string): Promise<string | undefined>;
  /** Waits for a commit and returns it; text must occur in its message. */
  waitForCommit(wanted: string | ((commit: Commit) => boolean), options?: WaitOptions): Promise<Commit>;
  /** A person clones, commits and pushes; pushes again on a newer tip when somebody was faster. Returns the commit's id. */
  commitAsPerson(commit: PersonalCommit): Promise<string>;
  remove(): Promise<void>;
}

const PERSON = { name: 'Pat Person', email: 'pat@example.com' };
const BRANCH = 'main';

export async function createGitRemote(): Promise<GitRemote> {
  const home = await makeTempDir('remote');
  const dir = join(home, 'remote.git');
  const env = hermeticGitEnv();
  await runCommand('git', ['init', '--quiet', '--bare', `--initial-branch=${BRANCH}`, dir], { env });
  const inBare = (...args: string[]): Promise<string> => runCommand('git', ['-C', dir, ...args], { env });
  const tip = async (branch = BRANCH): Promise<string | undefined> => {
    const ref = `refs/heads/${branch}`;
    const { code, stdout } = await tryCommand('git', ['-C', dir, 'rev-parse', '--verify', '--quiet', ref], { env });
    return code === 0 ? stdout.trim() : undefined;
  };
  const log = async (branch = BRANCH): Promise<Commit[]> => {
    const head = await tip(branch);
    if (head === undefined) return [];
    const ids = await inBare('rev-list', '--first-parent', head);
    const options = { env, input: ids };
    const objects = await runCommand('git', ['-C', dir, 'cat-file', '--batch'], options);
    const diffArgs = ['diff-tree', '--stdin', '--root', '-r', '-m', '--first-parent', '-z', '--no-renames'];
    const changes = await runCommand('git', ['-C', dir, ...diffArgs, '--name-status'], options);
    return parseCommits(objects, changes);
  };
  return {
    dir,
    url: pathToFileURL(dir).href,
    git: inBare,
    log,
    tip,
    files: async (branch = BRANCH) => {
      if ((await tip(branch)) === undefined) return [];
      const names = await inBare('ls-tree', '-r', '-z', '--name-only', `refs/heads/${branch}`);
      return names
        .split('\0')
        .filter((name) => name !== '')
        .sort();
    },
    read: async (path, at = BRANCH) => {
      const commit = /^[0-9a-f]{40}$/.test(at) ? at : `refs/heads/${at}`;
      const args = ['-C', dir, 'cat-file', 'blob', `${commit}:${path}`];
      const { code, stdout } = await tryCommand('git', args, { env });
      return code === 0 ? stdout : undefined;
    },
    waitForCommit: (wanted, options) => {
      const matches = typeof wanted === 'string' ? (commit: Commit) => commit.message.includes(wanted) : wanted;
      const what = typeof wanted === 'string' ? `a commit with ${JSON.stringify(wanted)}` : 'a commit';
      return waitFor(`${what} in ${dir}`, async () => (await log()).find(matches), options);
    },
    commitAsPerson: (commit) => commitAsPerson(home, dir, commit),
    remove: () => removeTempDir(home),
  };
}

const PUSH_ATTEMPTS = 10;

async function commitAsPerson(home: string, remote: string, commit: PersonalCommit): Promise<string> {
  const { author = PERSON, message = 'Edit by hand', files, date, branch = BRANCH } = commit;
  const clone = join(home, 'person');
  const env = hermeticGitEnv(author, date);
  const git = (...args: string[]): Promise<string> => runCommand('git', ['-C', clone, ...args], { env });
  await rm(clone, { recursive: true, force: true });
  await runCommand('git', ['init', '--quiet', `--initial-branch=${branch}`, clone], { env });
  await git('remote', 'add', 'origin', remote);
  for (let left = PUSH_ATTEMPTS; ; left--) {
    const fetched = await tryCommand('git', ['-C', clone, 'fetch', '--quiet', 'origin', branch], { env });
    if (fetched.code === 0) await git('reset', '--quiet', '--hard', 'FETCH_HEAD');
    for (const [path, content] of Object.entries(files)) {
      const file = join(clone, path);
      await mkdir(dirname(file), { recursive: true });
      await (content === null ? rm(file, { force: true }) : writeFile(file, content));
    }
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '--message', message);
    const push = await tryCommand('git', ['-C', clone, 'push', '--quiet', 'origin', `HEAD:${branch}`], { env });
    if (push.code === 0) return (await git('rev-parse', 'HEAD')).trim();
    if (left <= 1) throw new Error(`A person could not push to ${remote}:\n${push.stderr}`);
  }
}
