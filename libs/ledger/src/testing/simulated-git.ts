import { compareVersions } from '../proof.ts';
import type { ProvenChange } from '../proof.ts';

/** A change, and the look that found it. */
export interface Found {
  change: ProvenChange;
  look: number;
}

export interface ChangeFacts {
  uid: string;
  operation: string;
  version: string;
  /** `''` for a removal. */
  content: string;
}

export function factsOf(change: ProvenChange): ChangeFacts {
  if (change.kind === 'observed') return change;
  const { attempt, version, converted } = change;
  const content = attempt.operation === 'DELETE' ? '' : (converted?.content ?? attempt.target.content);
  return { uid: attempt.object.uid, operation: attempt.operation, version, content };
}

/** The repository, with the planner's rules for what comes again or late. */
export class SimulatedGit {
  /** All that was queued, with repetitions. */
  readonly queued: Found[] = [];
  readonly commits: Found[] = [];
  private readonly ids = new Set<string>();

  push(change: ProvenChange, look: number): void {
    this.queued.push({ change, look });
    const id = idOf(change);
    if (this.ids.has(id)) return;
    this.ids.add(id);
    if (!this.isOvertaken(change) && !this.isThere(change)) this.commits.push({ change, look });
  }

  get file(): string | undefined {
    const last = this.last;
    return last === undefined || last.operation === 'DELETE' ? undefined : last.content;
  }

  /** A newer state of the object was written, or it was removed, or another one bears its name now. */
  private isOvertaken(change: ProvenChange): boolean {
    const { last } = this;
    const { uid, version, operation } = factsOf(change);
    if (last === undefined || (operation === 'DELETE' && uid === last.uid)) return false;
    const order = compareVersions(version, last.version);
    return order < 0 || (order === 0 && last.operation === 'DELETE');
  }

  private isThere(change: ProvenChange): boolean {
    const { operation, content } = factsOf(change);
    return change.kind === 'observed' && operation === 'UPDATE' && content === this.file;
  }

  private get last(): ChangeFacts | undefined {
    const last = this.commits.at(-1)?.change;
    return last && factsOf(last);
  }
}

function idOf(change: ProvenChange): string {
  const { uid, operation, version } = factsOf(change);
  if (operation === 'DELETE') return `removed/${uid}`;
  return change.kind === 'persisted' ? change.attempt.id : `observed/${uid}/${version}`;
}
