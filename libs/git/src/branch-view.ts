import type { RepositoryTarget } from '#domain';
import type { BareClone } from './bare-clone.ts';
import { BranchHistory, type HistoryCommit } from './branch-history.ts';
import type { CommitSightings } from './commit-sightings.ts';

/** What we know of the branch: good for a plan; the push's lease proves that it still holds. */
export interface BranchState {
  /** The branch's commit, which a push must find; undefined where the branch does not exist. */
  lease: string | undefined;
  /** The commit to build on: the branch's, or the default branch's for a new one; undefined in an empty repository. */
  base: string | undefined;
  /** Committer date of `base`, seconds. */
  time: number | undefined;
  history: BranchHistory;
  /** The history is complete for changes that were admitted after this second. */
  floor: number;
}

/** How many commits the first deepening fetches; each further one fetches four times as many. */
const FIRST_DEEPENING = 16;
/** Commits in memory beyond which the state is read anew, which costs one fetch. */
const MAX_HISTORY = 20_000;

/** The state of the branch, as fresh and as deep as a batch needs it. */
export class BranchView {
  private state: BranchState | undefined;
  private deepening = FIRST_DEEPENING;
  /** Of the clone on disk; see BranchState.floor. */
  private cloneFloor = Number.POSITIVE_INFINITY;
  private fetchCount = 0;

  constructor(
    private readonly clone: BareClone,
    private readonly target: RepositoryTarget,
    private readonly repository: string,
    private readonly sightings: CommitSightings,
  ) {}

  /** How many times a state was fetched. */
  get fetches(): number {
    return this.fetchCount;
  }

  get current(): BranchState | undefined {
    return this.state;
  }

  forget(): void {
    this.state = undefined;
  }

  /**
   * @param need.fresh fetch even where a state is known
   * @param need.since seconds: the history must tell everything that happened from here on
   * @param need.now milliseconds since the epoch
   */
  async read(need: {
    fresh: boolean;
    since: number;
    now: number;
    signal?: AbortSignal | undefined;
  }): Promise<BranchState> {
    const known = this.state;
    if (!need.fresh && known !== undefined && known.history.size < MAX_HISTORY && this.reaches(known, need.since)) {
      await this.noteSightings(known.history, need);
      return known;
    }
    this.state = undefined;
    this.fetchCount += 1;
    const call = { signal: need.signal };
    const depth = (await this.clone.isNew()) ? { depth: 1 } : {};
    let lease = await this.clone.fetch('branch', { ...call, ...depth });
    const what = lease === undefined ? 'default' : 'branch';
    let base = lease ?? (await this.clone.fetch('default', { ...call, ...depth }));
    let floor = Number.POSITIVE_INFINITY;
    let commits: HistoryCommit[] = [];
    let time: number | undefined;
    let cut: number | undefined;
    while (base !== undefined) {
      const part = await this.clone.history(base, this.target.committer, call);
      ({ commits, tipTime: time } = part);
      // A cut that deepening does not move is the remote's own: it is shallow itself.
      const complete = part.boundaryTime === Number.NEGATIVE_INFINITY || cut === part.commits.length;
      cut = part.commits.length;
      if (complete) floor = Number.NEGATIVE_INFINITY;
      else if (depth.depth === undefined && floor === Number.POSITIVE_INFINITY) floor = this.cloneFloor;
      if (complete || floor < need.since) break;
      // One deepening more than the dates ask for: what lies at the cut is not known.
      base = await this.clone.fetch(what, { ...call, deepen: this.deepening });
      if (what === 'branch') lease = base;
      floor = part.boundaryTime;
      this.deepening *= 4;
    }
    if (base === undefined) floor = Number.NEGATIVE_INFINITY;
    this.cloneFloor = floor;
    const state: BranchState = { lease, base, time, history: new BranchHistory(base, commits), floor };
    await this.noteSightings(state.history, need);
    this.state = state;
    return state;
  }

  /** Our own commits are on the remote: the state moves on without a fetch. */
  advance(commits: readonly HistoryCommit[]): void {
    const state = this.state;
    const last = commits.at(-1);
    if (state === undefined || last === undefined) return;
    for (const commit of commits) state.history.append(commit);
    state.lease = last.sha;
    state.base = last.sha;
    state.time = last.time;
  }

  private reaches(state: BranchState, since: number): boolean {
    return state.floor < since;
  }

  /** Dates decide only where they lie after the oldest event, and a date in the future must be noted when it is first seen. */
  private async noteSightings(history: BranchHistory, need: { since: number; now: number }): Promise<void> {
    for (const commit of history.foreignAfter(need.since)) {
      const seen = await this.sightings.firstSeen(`${this.repository}#${this.target.branch}`, commit.sha, need.now);
      history.noteSighting(commit.sha, Math.floor(seen / 1000));
    }
  }
}
