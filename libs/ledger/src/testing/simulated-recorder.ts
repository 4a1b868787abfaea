import type { ObjectRef, RepositoryKey } from '#domain';
import type { LedgerRecord } from '../ledger-entry.ts';
import type { LedgerAttempt } from '../proof.ts';
import type { LedgerInMemory } from './ledger-in-memory.ts';
import { EXCLUDED_USER } from './simulated-api-server.ts';
import type { Call, Draw } from './simulated-api-server.ts';
import { contentOf, fingerprintOf, stateOf } from './simulated-object.ts';

/** What may happen to calls on their way into the ledger. */
export interface Faults {
  /** Calls that nobody answers: they fail open. */
  lost: boolean;
  /** How many records replicas may hold in memory at the same time, for a while, and are known to. */
  held: number;
  /** Records that come when nobody waits for them any more. */
  late: boolean;
}

/** The one repository; its rule excludes one user and selects by a label. */
export const REPOSITORY: RepositoryKey = { namespace: 'n', name: 'repository' };

/** Replicas that hear calls, and what each of them has not yet handed over. */
export class SimulatedRecorder {
  /** Calls of which the ledger heard nothing, or too late. */
  readonly unheard = new Set<string>();
  private held: { call: Call; record: LedgerRecord; late: boolean }[] = [];

  constructor(
    private readonly ledger: LedgerInMemory,
    private readonly faults: Faults,
    private readonly isTooLate: (call: Call) => boolean,
    private readonly draw: Draw,
    private readonly now: () => number,
  ) {}

  hear(call: Call): void {
    if (this.faults.lost && this.draw(8) === 1) {
      this.unheard.add(call.id);
      return;
    }
    const record = recordOf(call);
    if (record === undefined) return;
    const fate = this.draw(6);
    const late = this.faults.late && fate === 2;
    if (late || (fate === 1 && this.held.length < this.faults.held)) {
      this.held.push({ call, record, late });
    } else this.ledger.record(record);
  }

  /** The ledger holds all that was answered before this moment, as far as anybody knows. */
  get arrivedUpTo(): number {
    return Math.min(this.now(), ...this.held.filter(({ late }) => !late).map(({ call }) => call.at));
  }

  get holdsNothing(): boolean {
    return this.held.length === 0;
  }

  deliver(): void {
    const [next] = this.held.splice(this.draw(this.held.length || 1), 1);
    if (next === undefined) return;
    if (this.isTooLate(next.call)) this.unheard.add(next.call.id);
    this.ledger.record(next.record);
  }

  /** All that replicas hold comes, but for what nobody knows of. */
  deliverHeld(): void {
    const [held, late] = [this.held.filter((each) => !each.late), this.held.filter((each) => each.late)];
    this.held = held;
    while (this.held.length > 0) this.deliver();
    this.held = late;
  }
}

export function refOf(uid: string): ObjectRef {
  return { group: '', version: 'v1', kind: 'Thing', resource: 'things', namespace: 'n', name: 'thing', uid };
}

/** What the recorder makes of a call; nothing where no rule selects the object, before or after. */
function recordOf(call: Call): LedgerRecord | undefined {
  const { id, operation, user, scale, base, asked, at } = call;
  const uid = (base ?? asked)?.uid ?? '';
  const selected = (asked ?? base)?.selected === true;
  if (!selected && (scale || base?.selected !== true)) return undefined;
  const wantedBy = selected && user !== EXCLUDED_USER ? [REPOSITORY] : [];
  const aim = asked ?? base;
  const attempt: LedgerAttempt = {
    ...{ id, operation, object: refOf(uid), base: base?.version ?? null, user, admittedAt: at, wantedBy },
    target: { content: aim ? contentOf(aim) : '', fingerprint: aim && !scale ? fingerprintOf(aim) : '' },
    ...(operation === 'DELETE' && { keptBy: [REPOSITORY] }),
    ...(operation === 'UPDATE' && !selected && { leaves: true }),
    ...(asked !== undefined && wantedBy.length > 0 && { content: contentOf(asked) }),
  };
  if (base === undefined) return { object: refOf(uid), attempt };
  const content = base.selected ? { content: contentOf(base) } : {};
  return { object: refOf(uid), attempt, base: { uid, state: stateOf(base), ...content } };
}
