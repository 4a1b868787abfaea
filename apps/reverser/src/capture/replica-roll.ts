/** What one replica says of itself, in ms of Redis' clock. */
export interface Beat {
  /** When it said so. */
  at: number;
  /** All that it answered before this moment is in the ledger. */
  upTo: number;
}

/** A replica that Redis has not heard for this long has died; what it may hold in memory is not waited for any more. */
const LOST_MS = 5_000;

/** Which replicas there are, and up to when each has handed over what it recorded. Pure bookkeeping. */
export class ReplicaRoll {
  private readonly beats = new Map<string, Beat>();
  private away = false;
  /** Since when Redis has been reached without a break; 0 where there was none. */
  private back = 0;

  /** Takes what Redis knows of all replicas at `now`; what Redis has forgotten stays known. */
  hear(beats: ReadonlyMap<string, Beat>, now: number): void {
    if (this.away) this.back = now;
    this.away = false;
    for (const [id, beat] of beats) this.beats.set(id, beat);
    // While Redis was away nobody could be heard.
    for (const [id, { at }] of this.beats) if (now - Math.max(at, this.back) > LOST_MS) this.beats.delete(id);
  }

  /** Redis can't be reached. */
  breakOff(): void {
    this.away = true;
  }

  /** Since when Redis has been reached without a break, in ms of its clock, 0 where there was none; undefined while it is not. */
  get since(): number | undefined {
    return this.away ? undefined : this.back;
  }

  /** Every living replica has handed over all that it answered before this moment; -Infinity while Redis can't be reached. */
  get upTo(): number {
    return this.away ? -Infinity : Math.min(...[...this.beats.values()].map(({ upTo }) => upTo));
  }
}
