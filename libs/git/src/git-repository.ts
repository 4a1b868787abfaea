import { Logger } from '@nestjs/common';
import type { Change, ChangeVerdict, RepositoryTarget } from '#domain';
import type { BareClone } from './bare-clone.ts';
import type { BranchState, BranchView } from './branch-view.ts';
import { asHistory, innocuousCommit, verdictOf } from './conclude-plan.ts';
import { GitError, type GitErrorCode } from './git-error.ts';
import { blobId } from './blob-id.ts';
import { objectPath } from './object-path.ts';
import type { RepositoryUrl } from './parse-repository-url.ts';
import { proveWritableFolder } from './prove-writable-folder.ts';
import { planCommits, type CommitPlan, type TreeEntry } from './plan-commits.ts';

export interface ProbeResult {
  /** The repository has no branch at all. */
  empty: boolean;
  branchExists: boolean;
  /** The branch's commit. */
  head?: string;
}

/** The branch's files as they are now. */
export interface RepositoryFiles {
  /** Path → id of the blob. Empty for a new branch without a default branch. */
  files: Map<string, string>;
}

export interface WriteOptions {
  signal?: AbortSignal;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export interface WriteResult {
  /** One per change, in the order of the batch. */
  verdicts: ChangeVerdict[];
  /** The branch's newest commit after the write; time in seconds since the epoch. */
  head?: { sha: string; time: number };
}

/** How often a plan is made anew for a remote that moves, before the caller has to pause. */
const MAX_ROUNDS = 6;
/** Packs in the clone beyond which it is made anew: every Git process opens them all. One batch makes one pack. */
const MAX_PACKS = 200;
/** Errors of the clone itself, which a new one may heal. */
const HEALED_BY_RECLONE: readonly GitErrorCode[] = ['CloneCorrupt', 'DiskFull'];
/** Seconds by which the clocks of replicas and users may differ when we ask whether a history reaches back far enough. */
const CLOCK_SKEW = 300;
const REFUSALS: readonly GitErrorCode[] = ['PushRefused', 'BranchProtected'];

interface Batch {
  verdicts: Map<Change, ChangeVerdict>;
  signal: AbortSignal | undefined;
  now: () => number;
  /** The remote's hooks took a commit that changes nothing: what it refuses is the change's own fault. */
  hooksAreFair: boolean;
}

/** One branch of one remote repository. Calls are served one after the other; `write` is the only way to change it. */
export class GitRepository {
  private readonly logger = new Logger(GitRepository.name);
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly parts: {
      target: RepositoryTarget;
      url: RepositoryUrl;
      clone: BareClone;
      view: BranchView;
      prepare: () => Promise<void>;
      dispose: () => Promise<void>;
    },
  ) {}

  /** Proves the right to read and to push without changing anything. @throws {GitError} */
  async probe(signal?: AbortSignal): Promise<ProbeResult> {
    return this.exclusive(() => this.healing(() => this.proveAccess(signal)));
  }

  /**
   * Writes a batch of changes: commits and pushes what is new, and says of each change what became of it. Nothing of a batch
   * is lost or written twice when it is called again after an error.
   * @throws {GitError} when the remote, the credentials or the data directory stop the whole batch
   */
  async write(changes: readonly Change[], options: WriteOptions = {}): Promise<WriteResult> {
    return this.exclusive(async () => {
      const batch: Batch = {
        verdicts: new Map(),
        signal: options.signal,
        now: options.now ?? Date.now,
        hooksAreFair: false,
      };
      const fitting = changes.filter((change) => !this.refusedByPath(change, batch));
      await this.healing(() =>
        this.writeRange(
          fitting.filter((change) => !batch.verdicts.has(change)),
          batch,
        ),
      );
      const verdicts = changes.map((change) => batch.verdicts.get(change)).filter((verdict) => verdict !== undefined);
      const head = this.head();
      return { verdicts, ...(head === undefined ? {} : { head }) };
    });
  }

  /** What stands in the branch, asked of the remote. @throws {GitError} */
  async listFiles(options: WriteOptions = {}): Promise<RepositoryFiles> {
    return this.exclusive(async () => {
      await this.prepare();
      const now = (options.now ?? Date.now)();
      const { signal } = options;
      const state = await this.parts.view.read({ fresh: true, since: Math.floor(now / 1000), now, signal });
      return { files: state.base === undefined ? new Map() : await this.parts.clone.files(state.base, { signal }) };
    });
  }

  /** Removes the credential files. The clone stays: it is a cache. */
  async close(): Promise<void> {
    await this.exclusive(() => this.parts.dispose());
  }

  private async proveAccess(signal: AbortSignal | undefined): Promise<ProbeResult> {
    const { clone, url, target } = this.parts;
    const refs = await clone.lookAtRemote({ signal });
    if (url.transport === 'file') await proveWritableFolder(url);
    const [throwaway = ''] = await clone.import([innocuousCommit(target)], undefined, { signal });
    try {
      await clone.push(throwaway, refs.branch, { signal, dryRun: true });
    } catch (error) {
      // Somebody pushed since: to be told so takes the right to push.
      if (!(error instanceof GitError && error.code === 'LeaseStale')) throw error;
    }
    return {
      empty: refs.empty,
      branchExists: refs.branch !== undefined,
      ...(refs.branch === undefined ? {} : { head: refs.branch }),
    };
  }

  private async writeRange(changes: readonly Change[], batch: Batch): Promise<void> {
    if (changes.length === 0) return;
    let fresh = false;
    for (let round = 1; ; round += 1) {
      const state = await this.readState(changes, batch, fresh);
      const plan = await this.plan(changes, state, batch);
      if (plan.commits.length === 0 && !fresh && !state.isFresh) {
        fresh = true; // nothing will be pushed, so no lease proves that the remote is as we remember it
        continue;
      }
      try {
        await this.commit(plan, changes, state, batch);
        return;
      } catch (error) {
        this.parts.view.forget();
        if (!(error instanceof GitError)) throw error;
        if (REFUSALS.includes(error.code)) return this.bisect(changes, plan, error, batch);
        if (error.code !== 'LeaseStale') throw error;
        this.logger.debug({ msg: 'branch moved, planning again', repository: this.parts.url.normalized, round });
        if (round >= MAX_ROUNDS) {
          throw new GitError(
            'LeaseStale',
            `Others pushed to the branch ${MAX_ROUNDS} times while these changes were prepared: it is tried again after a pause.`,
            error,
          );
        }
        fresh = true;
      }
    }
  }

  private async readState(
    changes: readonly Change[],
    batch: Batch,
    fresh: boolean,
  ): Promise<BranchState & { isFresh: boolean }> {
    const { view } = this.parts;
    const before = view.fetches;
    const { now, signal } = batch;
    const presumed = changes.filter((change) => change.presumed === true);
    const events = changes.filter((change) => change.presumed !== true);
    let state = await view.read({ fresh, since: historyNeeded(events, now()), now: now(), signal });
    // A presumed state may be years old: its history is read only where Git does not hold it.
    if (presumed.length > 0 && !(await this.holds(presumed, state, batch)))
      state = await view.read({ fresh: false, since: historyNeeded(changes, now()), now: now(), signal });
    return { ...state, isFresh: view.fetches > before };
  }

  private async plan(changes: readonly Change[], state: BranchState, batch: Batch): Promise<CommitPlan> {
    const { target } = this.parts;
    const tree = await this.treeOf(changes, state, batch);
    return planCommits({ changes, target, history: state.history, tree, tipTime: state.time, now: batch.now() });
  }

  private async holds(changes: readonly Change[], state: BranchState, batch: Batch): Promise<boolean> {
    const tree = await this.treeOf(changes, state, batch);
    return changes.every(({ object, content }) => {
      const entry = tree.get(objectPath(object, this.parts.target.path));
      return entry?.kind === 'file' && content !== null && entry.blob === blobId(content);
    });
  }

  private async treeOf(
    changes: readonly Change[],
    { base }: BranchState,
    { signal }: Batch,
  ): Promise<Map<string, TreeEntry>> {
    const { target, clone } = this.parts;
    if (base === undefined) return new Map();
    const paths = [...new Set(changes.map((change) => objectPath(change.object, target.path)))];
    return clone.tree(base, paths, { signal });
  }

  private async commit(plan: CommitPlan, changes: readonly Change[], state: BranchState, batch: Batch): Promise<void> {
    const { clone, view } = this.parts;
    const call = { signal: batch.signal };
    const shas = plan.commits.length === 0 ? [] : await clone.import(plan.commits, state.base, call);
    const tip = shas.at(-1);
    if (tip !== undefined) {
      await clone.push(tip, state.lease, call);
      view.advance(plan.commits.map((commit, index) => asHistory(commit, shas, index, state.base)));
    }
    for (const [index, change] of changes.entries()) {
      const decision = plan.decisions[index];
      if (decision !== undefined) batch.verdicts.set(change, verdictOf(decision, change, shas));
    }
  }

  /** Finds the changes that the remote refuses; the others are written, in order. */
  private async bisect(changes: readonly Change[], plan: CommitPlan, refusal: GitError, batch: Batch): Promise<void> {
    if (refusal.code === 'BranchProtected') throw refusal;
    if (!batch.hooksAreFair) {
      const state = await this.readState(changes, batch, true);
      const sample = plan.commits[0] ?? innocuousCommit(this.parts.target);
      const taken = await this.parts.clone.wouldTakeInnocuous(sample, state.base, { signal: batch.signal });
      if (taken !== true) throw refusal; // every commit is refused, or we can't tell: the queue holds and nothing is lost
      batch.hooksAreFair = true;
    }
    const [only] = changes;
    if (changes.length === 1 && only !== undefined) {
      batch.verdicts.set(only, {
        result: 'refused',
        eventId: only.eventId,
        code: refusal.code,
        message: refusal.message,
      });
      return;
    }
    const middle = Math.ceil(changes.length / 2);
    await this.writeRange(changes.slice(0, middle), batch);
    await this.writeRange(changes.slice(middle), batch);
  }

  private refusedByPath(change: Change, batch: Batch): boolean {
    try {
      objectPath(change.object, this.parts.target.path);
      return false;
    } catch (error) {
      if (error instanceof GitError && error.code !== 'PathInvalid') {
        batch.verdicts.set(change, {
          result: 'refused',
          eventId: change.eventId,
          code: error.code,
          message: error.message,
        });
        return true;
      }
      throw error;
    }
  }

  private async prepare(): Promise<void> {
    await this.parts.prepare();
    if ((await this.parts.clone.packCount()) > MAX_PACKS) {
      await this.parts.clone.discard();
      this.parts.view.forget();
    }
    await this.parts.clone.ensure();
  }

  /** DATA_DIR may be emptied, damaged or full at any time: one new clone is tried. */
  private async healing<T>(operation: () => Promise<T>): Promise<T> {
    try {
      await this.prepare();
      return await operation();
    } catch (error) {
      if (!(error instanceof GitError) || !HEALED_BY_RECLONE.includes(error.code)) throw error;
      this.logger.warn({ msg: 'clone is made anew', repository: this.parts.url.normalized, code: error.code });
      this.parts.view.forget();
      await this.parts.clone.discard();
      await this.prepare();
      return operation();
    }
  }

  private head(): { sha: string; time: number } | undefined {
    const state = this.parts.view.current;
    return state?.lease === undefined || state.time === undefined ? undefined : { sha: state.lease, time: state.time };
  }

  private async exclusive<T>(operation: () => Promise<T>): Promise<T> {
    const run = this.queue.then(operation);
    this.queue = run.catch(() => undefined);
    return run;
  }
}

/** How far back history must be known to plan these changes: seconds since the epoch. */
function historyNeeded(changes: readonly Change[], now: number): number {
  // Who touched a file last may lie any time back.
  const oldest = Math.min(now, ...changes.map((change) => (change.prune === true ? 0 : change.admittedAt)));
  return Math.floor(oldest / 1000) - CLOCK_SKEW;
}
