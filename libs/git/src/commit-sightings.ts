/**
 * Remembers when a commit by somebody else was first seen on a branch, over restarts and replicas: a commit date in the
 * future must not win against every later change.
 */
export interface CommitSightings {
  /**
   * @param repository the normalized URL and branch
   * @param now milliseconds since the epoch, stored where this is the first sighting
   * @returns milliseconds since the epoch
   */
  firstSeen(repository: string, sha: string, now: number): Promise<number>;
}

export const COMMIT_SIGHTINGS = Symbol('CommitSightings');

/** Sightings of this process only: after a restart a date in the future counts from the first look after it. */
export class InMemoryCommitSightings implements CommitSightings {
  private readonly times = new Map<string, number>();

  async firstSeen(repository: string, sha: string, now: number): Promise<number> {
    const key = `${repository}\0${sha}`;
    const known = this.times.get(key) ?? now;
    this.times.set(key, known);
    return known;
  }
}
