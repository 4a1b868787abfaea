import { historySince } from '../history-since.ts';
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

/** Where a job is between two steps. */
export type Stage = 'looking' | 'read' | 'queued';

/** The settler's work on one name, in steps between which anything may happen. */
export class SimulatedSettler {
  /** `uid@version` of each state that a look saw before it was behind what was decided, and which one did so first. */
  readonly seen = new Map<string, number>();
  private looks = 0;
  /** Up to where changes were queued. */
  private decided: SettledMark | undefined;
  private doubt: { about: string[]; since: number } | undefined;

  constructor(
    private readonly api: SimulatedApiServer,
    private readonly recorder: SimulatedRecorder,
    private readonly ledger: LedgerInMemory,
    private readonly git: SimulatedGit,
    /** The API server still has the versions between. */
    private readonly hasHistory: boolean,
  ) {}

  *settle(): Generator<Stage, void> {
    const { arrivedUpTo } = this.recorder;
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
        yield 'read';
        yield* this.decide(entry, live, arrivedUpTo);
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

  private *decide(entry: LedgerEntry, live: LiveState, arrivedUpTo: number): Generator<Stage, void> {
    const { now } = this.api;
    const first = proveObject(entry.view, live, now, DEFAULT_PROOF_LIMITS);
    if (this.mustWait(first, arrivedUpTo)) return;
    const since = this.hasHistory ? historySince(entry.view, first) : undefined;
    const known = since === undefined ? entry : this.withHistory(entry, since, first);
    const proof = since === undefined ? first : proveObject(known.view, live, now, DEFAULT_PROOF_LIMITS);
    this.queue(proof, known, live);
    yield 'queued';
    this.ledger.conclude(entry, nextView(known.view, proof, live));
    this.doubt = undefined;
  }

  /** What is doubted is decided once all has arrived that was answered when the doubt came up. */
  private mustWait(proof: Proof, arrivedUpTo: number): boolean {
    const observed = proof.changes.flatMap((c) =>
      c.kind === 'observed' ? [`${c.uid} ${c.version} ${c.content}`] : [],
    );
    const about = [...proof.doubts, ...observed];
    if (about.length === 0) return false;
    const isSame = about.every((each) => this.doubt?.about.includes(each));
    this.doubt = { about, since: isSame ? (this.doubt?.since ?? 0) : this.api.now };
    return arrivedUpTo <= this.doubt.since;
  }

  /** With every version after `since` of the uids that are known, up to the newest one that is proven or to its end. */
  private withHistory(entry: LedgerEntry, since: string, { settled }: Proof): LedgerEntry {
    const known = new Set([...uidsOf(entry), ...entry.view.attempts.map(({ object }) => object.uid)]);
    const { writes } = this.api;
    const last = writes.findIndex(({ uid, version, after }) => {
      const isNewest = settled?.gone === true ? after === undefined || after.dying : version === settled?.version;
      return uid === settled?.uid && isNewest;
    });
    const states = writes
      .slice(0, last + 1)
      .flatMap(({ uid, version, after }) =>
        after !== undefined && known.has(uid) && compareVersions(version, since) > 0
          ? [{ uid, state: stateOf(after) }]
          : [],
      );
    return { ...entry, view: { ...entry.view, states: [...entry.view.states, ...states] } };
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
