/** One version that somebody must have announced. */
export interface Check<T> {
  id: string;
  version: string;
  dueAt: number;
  subject: T;
}

/** Versions to be checked later; a newer version of an object replaces the older one, but keeps its time. Pure bookkeeping. */
export class CheckList<T> {
  private readonly checks = new Map<string, Check<T>>();

  get size(): number {
    return this.checks.size;
  }

  add(check: Check<T>): void {
    const known = this.checks.get(check.id);
    // Two versions may come in the wrong order where something had to be read for the first one.
    const newest = known !== undefined && BigInt(known.version) > BigInt(check.version) ? known : check;
    this.checks.set(check.id, { ...newest, dueAt: Math.min(check.dueAt, known?.dueAt ?? check.dueAt) });
  }

  /** Puts one back that could not be judged: what came meanwhile is newer. */
  putBack(check: Check<T>): void {
    const newer = this.checks.get(check.id);
    this.checks.set(check.id, newer ?? check);
  }

  /** Removes and returns what is due, at most `limit` of it. */
  takeDue(now: number, limit: number): Check<T>[] {
    const due: Check<T>[] = [];
    for (const check of this.checks.values()) {
      if (due.length >= limit) break;
      if (check.dueAt <= now) due.push(check);
    }
    for (const check of due) this.checks.delete(check.id);
    return due;
  }
}
