import { mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Identity } from '#domain';
import type { HistoryCommit } from './branch-history.ts';
import type { CallOptions, GitClient } from './git-client.ts';
import { GitError } from './git-error.ts';
import { fastImportStream } from './fast-import-stream.ts';
import { guardDataDir } from './guard-data-dir.ts';
import type { PlannedCommit, TreeEntry } from './plan-commits.ts';
import { HISTORY_FORMAT, readHistory } from './read-history.ts';
import type { RepositoryUrl } from './parse-repository-url.ts';

const FETCHED = 'refs/reverser/fetched';
const STAGED = 'refs/reverser/staged';
/** Bytes of paths in one `git ls-tree` call; the kernel takes 2 MiB of arguments. */
const TREE_CALL_BYTES = 256 * 1024;

/** What a look at the remote found. */
export interface RemoteRefs {
  empty: boolean;
  /** The branch's commit. */
  branch?: string;
  /** The commit of the branch that HEAD names. */
  defaultBranch?: string;
}

/** The known part of a branch: its commits, and how far back they reach. */
export interface KnownHistory {
  commits: HistoryCommit[];
  tipTime: number;
  /** The newest date among the commits where the clone was cut off, seconds; -Infinity when it is complete. */
  boundaryTime: number;
}

/** One bare, shallow, blobless clone: its Git commands. It has no work tree and keeps no state but its objects. */
export class BareClone {
  constructor(
    readonly folder: string,
    private readonly url: RepositoryUrl,
    private readonly branch: string,
    private readonly git: GitClient,
  ) {}

  /** Makes the repository where it is missing. */
  async ensure(): Promise<void> {
    const head = await readFile(join(this.folder, 'HEAD'), 'utf8').catch(() => undefined);
    const config = await readFile(join(this.folder, 'config'), 'utf8').catch(() => undefined);
    if (head?.startsWith('ref: ') === true && config?.includes('bare = true') === true) return;
    await this.discard();
    await guardDataDir(this.folder, () => mkdir(this.folder, { recursive: true, mode: 0o700 }));
    await this.git.local(['init', '--quiet', '--bare', '--template=']);
    await this.git.local(['config', 'gc.auto', '0']);
    await this.git.local(['config', 'fastimport.unpackLimit', '1']); // one pack a batch, and no second process
    await this.git.local(['config', 'transfer.unpackLimit', '1']);
  }

  async discard(): Promise<void> {
    await guardDataDir(this.folder, () => rm(this.folder, { recursive: true, force: true }));
  }

  async packCount(): Promise<number> {
    const names = await readdir(join(this.folder, 'objects', 'pack')).catch(() => []);
    return names.filter((name) => name.endsWith('.pack')).length;
  }

  /** Reads the remote's refs: proves the right to read. */
  async lookAtRemote(options: CallOptions): Promise<RemoteRefs> {
    const ref = `refs/heads/${this.branch}`;
    const listed = await this.git.remote(['ls-remote', '--quiet', '--', this.url.text, 'HEAD', ref], options);
    const found = new Map(listed.split('\n').map((line) => line.split('\t', 2).reverse() as [string, string]));
    const branch = found.get(ref);
    const defaultBranch = found.get('HEAD');
    const none = branch === undefined && defaultBranch === undefined;
    const empty =
      none && (await this.git.remote(['ls-remote', '--quiet', '--heads', '--', this.url.text], options)).trim() === '';
    return {
      empty,
      ...(branch === undefined ? {} : { branch }),
      ...(defaultBranch === undefined ? {} : { defaultBranch }),
    };
  }

  /** Fetches the branch, or HEAD; undefined where the remote has none. */
  async fetch(
    what: 'branch' | 'default',
    options: CallOptions & { depth?: number; deepen?: number },
  ): Promise<string | undefined> {
    const { depth, deepen, ...call } = options;
    const source = what === 'branch' ? `refs/heads/${this.branch}` : 'HEAD';
    const reach = depth !== undefined ? [`--depth=${depth}`] : deepen !== undefined ? [`--deepen=${deepen}`] : [];
    const args = [
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--filter=blob:none',
      '--update-shallow',
    ];
    try {
      await this.git.remote(['fetch', ...args, ...reach, 'origin', `+${source}:${FETCHED}`], call);
    } catch (error) {
      if (error instanceof GitError && error.code === 'BranchNotFound') return undefined;
      throw error;
    }
    return (await this.git.local(['rev-parse', '--verify', `${FETCHED}^{commit}`], call)).trim();
  }

  /** True before the first fetch. */
  async isNew(): Promise<boolean> {
    return (await stat(join(this.folder, FETCHED)).catch(() => undefined)) === undefined;
  }

  async history(tip: string, committer: Identity, options: CallOptions): Promise<KnownHistory> {
    const boundary = await this.boundary();
    const dates = await this.git.local(['log', '--no-walk', '--format=%H %ct', tip, ...boundary], options);
    const times = new Map(dates.split('\n').map((line) => line.split(' ', 2) as [string, string]));
    const boundaryTime = Math.max(...boundary.map((sha) => Number(times.get(sha) ?? 0)), Number.NEGATIVE_INFINITY);
    const log = ['log', '-z', '--name-status', '--no-renames', `--format=${HISTORY_FORMAT}`];
    const range = [tip, ...boundary.map((sha) => `^${sha}`)];
    const commits = readHistory(
      await this.git.local([...log, '--root', '--diff-merges=first-parent', ...range], options),
      committer,
    );
    if (commits.some((commit) => commit.parents.length > 1)) {
      const combined = await this.git.local([...log, '--merges', '--diff-merges=combined', ...range], options);
      const merged = new Map(
        readHistory(combined, committer).map((commit) => [commit.sha, new Set(commit.paths.keys())]),
      );
      for (const commit of commits) {
        if (commit.parents.length > 1) commit.mergedPaths = merged.get(commit.sha) ?? new Set();
      }
    }
    return { commits, tipTime: Number(times.get(tip) ?? 0), boundaryTime };
  }

  /** What stands at these paths of a commit's tree, and what stands in their way. */
  async tree(commit: string, paths: readonly string[], options: CallOptions): Promise<Map<string, TreeEntry>> {
    const asked = new Set<string>();
    for (const path of paths) {
      for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) asked.add(path.slice(0, end));
    }
    const found = new Map<string, { mode: string; blob: string }>();
    for (const chunk of chunksOf([...asked], TREE_CALL_BYTES)) {
      const listed = await this.git.local(
        ['--literal-pathspecs', 'ls-tree', '-z', '--full-tree', '-t', commit, '--', ...chunk],
        options,
      );
      for (const line of listed.split('\0')) {
        const [, mode, blob, path] = /^(\d+) \w+ ([0-9a-f]+)\t([\s\S]+)$/.exec(line) ?? [];
        if (mode !== undefined && blob !== undefined && path !== undefined) found.set(path, { mode, blob });
      }
    }
    const entries = new Map<string, TreeEntry>();
    for (const path of paths) {
      const entry = entryAt(path, found);
      if (entry !== undefined) entries.set(path, entry);
    }
    return entries;
  }

  /** Every file of a commit's tree: path → blob id. Links and submodules are none. */
  async files(commit: string, options: CallOptions): Promise<Map<string, string>> {
    const listed = await this.git.local(['ls-tree', '-r', '-z', '--full-tree', commit], options);
    const files = new Map<string, string>();
    for (const line of listed.split('\0')) {
      const [, blob, path] = /^100\d{3} blob ([0-9a-f]+)\t([\s\S]+)$/.exec(line) ?? [];
      if (blob !== undefined && path !== undefined) files.set(path, blob);
    }
    return files;
  }

  /** Writes the commits on top of `base`; their ids, in order. */
  async import(commits: readonly PlannedCommit[], base: string | undefined, options: CallOptions): Promise<string[]> {
    const args = ['fast-import', '--quiet', '--force', '--done', '--date-format=raw'];
    const output = await this.git.stream(args, { ...options, input: fastImportStream(commits, base, STAGED) });
    return output.trim().split('\n');
  }

  /** Moves the remote's branch from exactly `base` (undefined: it must not exist) to `tip`. */
  async push(tip: string, base: string | undefined, options: CallOptions & { dryRun?: boolean }): Promise<void> {
    const { dryRun, ...call } = options;
    const ref = `refs/heads/${this.branch}`;
    const args = [
      'push',
      '--porcelain',
      '--no-verify',
      `--force-with-lease=${ref}:${base ?? ''}`,
      ...(dryRun === true ? ['--dry-run'] : []),
    ];
    await this.git.remote([...args, '--', this.url.text, `${tip}:${ref}`], call);
  }

  /**
   * Whether the remote's hooks would take a commit that changes nothing; undefined where it can't be known. Nothing is
   * written: an atomic push carries a second ref which can't exist beside the branch, so that the remote rolls back after its hooks ran.
   */
  async wouldTakeInnocuous(
    commit: PlannedCommit,
    base: string | undefined,
    options: CallOptions,
  ): Promise<boolean | undefined> {
    const [tip = ''] = await this.import([{ ...commit, files: [] }], base, options);
    const ref = `refs/heads/${this.branch}`;
    try {
      await this.git.remote(
        [
          'push',
          '--porcelain',
          '--no-verify',
          '--atomic',
          '--',
          this.url.text,
          `${tip}:${ref}`,
          `${tip}:${ref}/gitops-reverser-probe`,
        ],
        options,
      );
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      if (error.code === 'PushRefused' || error.code === 'BranchProtected') return false;
      const said = error.cause instanceof Error ? error.cause.message : '';
      return /atomic transaction failed|cannot lock ref|cannot process|transaction failed/.test(said)
        ? true
        : undefined;
    }
    return undefined;
  }

  private async boundary(): Promise<string[]> {
    const text = await readFile(join(this.folder, 'shallow'), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => /^[0-9a-f]{40,64}$/.test(line));
  }
}

function entryAt(path: string, found: ReadonlyMap<string, { mode: string; blob: string }>): TreeEntry | undefined {
  for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1)) {
    const folder = found.get(path.slice(0, end));
    if (folder !== undefined && folder.mode !== '040000')
      return { kind: 'blocked', by: `The file ${path.slice(0, end)}` };
  }
  const entry = found.get(path);
  if (entry === undefined) return undefined;
  if (entry.mode === '040000' || entry.mode === '160000') return { kind: 'blocked', by: `The folder ${path}` };
  // A symbolic link is no manifest: the file replaces it, whatever it points to.
  return { kind: 'file', blob: entry.mode === '120000' ? `link:${entry.blob}` : entry.blob };
}

function* chunksOf(texts: readonly string[], limit: number): Generator<string[]> {
  let chunk: string[] = [];
  let size = 0;
  for (const text of texts) {
    const bytes = Buffer.byteLength(text) + 1;
    if (chunk.length > 0 && size + bytes > limit) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(text);
    size += bytes;
  }
  if (chunk.length > 0) yield chunk;
}
