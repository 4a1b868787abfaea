import type { LedgerEntry } from '../ledger-entry.ts';
import { nextView } from '../next-view.ts';
import { compareVersions, DEFAULT_PROOF_LIMITS } from '../proof.ts';
import type { LiveState, Proof, SettledMark } from '../proof.ts';
import { proveObject } from '../prove-object.ts';
import type { LedgerInMemory } from './ledger-in-memory.ts';
import type { Call, SimulatedApiServer } from './simulated-api-server.ts';
import type { SimulatedGit } from './simulated-git.ts';
import { stateOf } from './simulated-object.ts';
import type { SimulatedRecorder } from './simulated-recorder.ts';

/** The settler's work on one name, in steps between which anything may happen. */
export class SimulatedSettler {
  /** `uid@version` of each state that a look saw before it was behind what was decided, and which one did so first. */
  readonly seen = new Map<string, number>();
  private looks = 0;
  /** Up to where changes were queued. */
  private decided: SettledMark | undefined;

  constructor(
    private readonly api: SimulatedApiServer,
    private readonly recorder: SimulatedRecorder,
    private readonly ledger: LedgerInMemory,
    private readonly git: SimulatedGit,
  ) {}

  *settle(): Generator<'looking' | 'queued', void> {
    const first = this.ledger.read();
    if (first === undefined) return;
    for (let known = uidsOf(first); ;) {
      const { current } = this.api;
      yield 'looking';
      const entry = this.ledger.read();
      if (entry === undefined) return;
      const uids = uidsOf(entry);
      const live: LiveState = current && { uid: current.uid, state: stateOf(current) };
      if ([...uids].every((uid) => uid === live?.uid || known.has(uid))) {
        yield* this.decide(entry, live);
        return;
      }
      known = uids;
    }
  }

  /** Whether what became of a call was decided without it. */
  isTooLate({ base, asked }: Call): boolean {
    if (base !== undefined) return this.isDecided(base.uid, base.version);
    return [...this.seen.keys()].some((name) => name.startsWith(`${asked?.uid}@`));
  }

  private isDecided(uid: string, version: string): boolean {
    if (this.decided === undefined) return false;
    if (this.decided.uid === uid && this.decided.gone) return true;
    return compareVersions(version, this.decided.version) < 0;
  }

  private *decide(entry: LedgerEntry, live: LiveState): Generator<'queued', void> {
    const proof = proveObject(entry.view, live, this.api.now, DEFAULT_PROOF_LIMITS);
    const isDoubtful = proof.doubt !== undefined || proof.changes.some((c) => c.kind === 'observed');
    if (isDoubtful && !this.recorder.isComplete) return;
    this.queue(proof, entry, live);
    yield 'queued';
    this.ledger.conclude(entry, nextView(entry.view, proof, live));
  }

  private queue(proof: Proof, entry: LedgerEntry, live: LiveState): void {
    const look = (this.looks += 1);
    const { states } = entry.view;
    for (const { uid, state } of live === undefined ? states : [...states, live]) {
      if (this.isDecided(uid, state.version)) continue;
      const name = `${uid}@${state.version}`;
      this.seen.set(name, this.seen.get(name) ?? look);
    }
    this.decided = proof.settled;
    for (const change of proof.changes) {
      if (change.kind === 'persisted' && change.attempt.wantedBy.length === 0) continue;
      this.git.push(change, look);
    }
  }
}

function uidsOf(entry: LedgerEntry): Set<string> {
  return new Set(entry.view.states.map(({ uid }) => uid));
}
