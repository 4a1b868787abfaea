/** One commit of the part of a branch's history that we know. */
export interface HistoryCommit {
  sha: string;
  parents: string[];
  /** Committer date, seconds since the epoch. */
  time: number;
  /** Author date, seconds: for our own commits the admission. */
  authorTime: number;
  /** Written by us: our committer and an event id. */
  ours: boolean;
  eventIds: string[];
  resourceVersion?: string;
  /** What differs from the first parent: path → whether the path is gone. */
  paths: ReadonlyMap<string, { removed: boolean }>;
  /** Merges only: the paths that differ from every parent. */
  mergedPaths?: ReadonlySet<string>;
}

/** When somebody else touched a path, seconds since the epoch. */
export interface ForeignTouch {
  sha: string;
  time: number;
}

/** The known commits of a branch, and the questions that the planner asks about them. */
export class BranchHistory {
  private readonly commits = new Map<string, HistoryCommit>();
  private readonly commitsOfEvent = new Map<string, HistoryCommit[]>();
  /** First sightings of commits by others, seconds since the epoch. */
  private readonly seen = new Map<string, number>();

  constructor(
    private tip: string | undefined,
    commits: Iterable<HistoryCommit>,
  ) {
    for (const commit of commits) this.add(commit);
  }

  get size(): number {
    return this.commits.size;
  }

  /** Appends a commit on top of the tip. */
  append(commit: HistoryCommit): void {
    this.add(commit);
    this.tip = commit.sha;
  }

  /** Commits by others whose date is after `time` (seconds): their first sighting decides, see {@link noteSighting}. */
  foreignAfter(time: number): HistoryCommit[] {
    return [...this.commits.values()].filter(
      (commit) => !commit.ours && commit.time > time && !this.seen.has(commit.sha),
    );
  }

  noteSighting(sha: string, time: number): void {
    this.seen.set(sha, time);
  }

  /** The commit that already holds this event's change to this path. */
  committed(eventId: string, path: string): string | undefined {
    return this.commitsOfEvent.get(eventId)?.find((commit) => commit.paths.has(path))?.sha;
  }

  /** Our newest commit of the mainline that touches the path. */
  lastOwn(path: string): HistoryCommit | undefined {
    return this.walk(this.tip).find((commit) => commit.ours && commit.paths.has(path));
  }

  /** The commit by somebody else that changed the path last, where no commit of ours did so after it. */
  lastForeign(path: string): string | undefined {
    const last = this.walk(this.tip).find((commit) => commit.paths.has(path));
    return last !== undefined && this.touchesForeign(last, path) ? last.sha : undefined;
  }

  /** The latest time at which somebody else changed the path, as the branch saw it. */
  foreignTouch(path: string): ForeignTouch | undefined {
    let latest: ForeignTouch | undefined;
    for (const commit of this.walk(this.tip)) {
      if (!this.touchesForeign(commit, path)) continue;
      const time = Math.min(commit.time, this.seen.get(commit.sha) ?? Number.POSITIVE_INFINITY);
      if (latest === undefined || time > latest.time) latest = { sha: commit.sha, time };
    }
    return latest;
  }

  private touchesForeign(commit: HistoryCommit, path: string): boolean {
    if (commit.ours || !commit.paths.has(path)) return false;
    if (commit.parents.length < 2 || commit.mergedPaths?.has(path) === true) return true;
    // The merge took the path from another parent: it is foreign unless the last change there was ours.
    return !commit.parents.slice(1).some((parent) => this.lastTouchIsOurs(parent, path));
  }

  private lastTouchIsOurs(start: string, path: string): boolean {
    return this.walk(start).find((commit) => commit.paths.has(path))?.ours ?? false;
  }

  private *firstParents(start: string | undefined): Generator<string> {
    for (let sha = start; sha !== undefined; sha = this.commits.get(sha)?.parents[0]) yield sha;
  }

  private walk(start: string | undefined): HistoryCommit[] {
    const found: HistoryCommit[] = [];
    for (const sha of this.firstParents(start)) {
      const commit = this.commits.get(sha);
      if (commit === undefined) break;
      found.push(commit);
    }
    return found;
  }

  private add(commit: HistoryCommit): void {
    this.commits.set(commit.sha, commit);
    for (const eventId of commit.eventIds) {
      const holders = this.commitsOfEvent.get(eventId);
      if (holders === undefined) this.commitsOfEvent.set(eventId, [commit]);
      else holders.push(commit);
    }
  }
}
