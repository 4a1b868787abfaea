/** What a queue shows from outside. */
export interface QueueHead {
  /** The job that is active, or the one that comes next; absent in an empty queue. */
  id: string | undefined;
  /** How long the queue is still held on purpose, in ms. */
  heldMs: number;
}

/** Longer than two exchanges with a remote may take. */
const STALLED_AFTER_MS = 150_000;

/** Notices a backlog that does not move: the same job at the head for minutes, with nobody holding it. Time is an argument. */
export class StallWatch {
  private head: string | undefined;
  private since = 0;

  /** Whether the queue has stalled; once it was said, the time begins anew. */
  look({ id, heldMs }: QueueHead, now: number): boolean {
    if (id === undefined || heldMs > 0 || id !== this.head) {
      this.head = id;
      this.since = now;
      return false;
    }
    if (now - this.since < STALLED_AFTER_MS) return false;
    this.since = now;
    return true;
  }
}
