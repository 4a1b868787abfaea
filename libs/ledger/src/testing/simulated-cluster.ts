import type { Attempt, ObjectRef, ProvenState } from '#domain';
import { DEFAULT_PROOF_LIMITS } from '../proof.ts';
import type { LedgerView, LiveState } from '../proof.ts';
import { proveObject } from '../prove-object.ts';
import { nextView } from '../next-view.ts';

interface StoredObject {
  uid: string;
  state: ProvenState;
}

/**
 * A model of the API server for one object name: optimistic writes with internal retries, stale reads from the watch
 * cache, requests that a later webhook rejects, status writes, finalizers and recreation. Requests are interleaved by the
 * given numbers. `history` is what it persisted; `found` is what the proof made of the admission calls.
 */
export class SimulatedCluster {
  readonly history: string[] = [];
  readonly found: string[] = [];
  private current: StoredObject | undefined;
  private past: StoredObject[] = [];
  private version = 10;
  private sequence = 0;
  private now = 1_000_000;
  private view: LedgerView = { attempts: [], states: [] };
  /** Requests between admission and storage: run in any order. */
  private inFlight: (() => void)[] = [];

  constructor(private readonly entropy: number[]) {}

  run(): void {
    while (this.entropy.length > 0) this.step();
    while (this.inFlight.length > 0) this.inFlight.shift()?.();
    this.now += 1;
    this.settle();
    this.now += 120_000;
    this.settle();
  }

  private step(): void {
    this.now += 1;
    const choice = this.draw(12);
    if (choice < 3) this.settle();
    else if (choice < 6) this.inFlight.splice(this.draw(this.inFlight.length || 1), 1)[0]?.();
    else if (choice === 6) this.writeStatus();
    else if (choice === 7) this.create();
    else if (choice === 8) this.remove();
    else this.update();
  }

  private draw(below: number): number {
    return (this.entropy.shift() ?? 0) % below;
  }

  private update(): void {
    const user = `user${this.draw(4)}`;
    this.requestUpdate(user, `c${this.draw(6)}`, this.draw(3) === 0, this.draw(6) === 0, 0);
  }

  private requestUpdate(user: string, content: string, stale: boolean, rejected: boolean, tries: number): void {
    const base = stale ? (this.past.at(-2) ?? this.current) : this.current;
    if (base === undefined || tries > 4) return;
    const id = this.record('UPDATE', base, user, content);
    this.inFlight.push(() => {
      if (rejected) return;
      if (this.current?.uid !== base.uid) return;
      if (this.current.state.version !== base.state.version) {
        this.requestUpdate(user, content, false, rejected, tries + 1);
        return;
      }
      const fingerprint = `${user}-${content}`;
      if (base.state.content === content && base.state.fingerprint === fingerprint) return;
      if (base.state.content !== content && !base.state.dying) this.history.push(`UPDATE ${id.user} ${content}`);
      this.store({ uid: base.uid, state: { ...base.state, version: this.tick(), content, fingerprint } });
    });
  }

  private create(): void {
    const user = `user${this.draw(4)}`;
    const content = `c${this.draw(6)}`;
    const uid = `uid${(this.sequence += 1)}`;
    const attempt = this.attempt('CREATE', uid, null, user, content);
    this.view.attempts.push(attempt);
    this.inFlight.push(() => {
      if (this.current !== undefined) return;
      this.history.push(`CREATE ${user} ${content}`);
      this.store({ uid, state: { version: this.tick(), content, fingerprint: `${user}-${content}`, dying: false } });
    });
  }

  private remove(): void {
    this.now += 3_000; // further apart than a tie: the model knows one author for each deletion
    const finalized = this.draw(2) === 0;
    this.requestRemoval(`user${this.draw(4)}`, this.draw(4) === 0, finalized);
  }

  private requestRemoval(user: string, stale: boolean, finalized: boolean): void {
    const base = stale ? (this.past.at(-2) ?? this.current) : this.current;
    // The API server reads the object itself before it calls admission for a deletion: gone means no call.
    if (base === undefined || this.current?.uid !== base.uid) return;
    this.record('DELETE', base, user, base.state.content);
    // A deletion stores at once: two of them that wait side by side would be a tie.
    if (this.current.state.version !== base.state.version) {
      this.requestRemoval(user, false, finalized);
      return;
    }
    if (!base.state.dying) this.history.push(`DELETE ${user}`);
    if (finalized && !base.state.dying) {
      this.store({ uid: base.uid, state: { ...base.state, version: this.tick(), dying: true } });
    } else {
      this.tick();
      this.current = undefined;
    }
  }

  /** Through the status subresource: no admission call; content stays. */
  private writeStatus(): void {
    if (this.current === undefined) return;
    this.store({ uid: this.current.uid, state: { ...this.current.state, version: this.tick() } });
  }

  private record(operation: 'UPDATE' | 'DELETE', base: StoredObject, user: string, content: string): Attempt {
    const attempt = this.attempt(operation, base.uid, base.state.version, user, content);
    this.view.attempts.push(attempt);
    this.view.states.push({ uid: base.uid, state: base.state });
    return attempt;
  }

  private attempt(
    operation: Attempt['operation'],
    uid: string,
    base: string | null,
    user: string,
    content: string,
  ): Attempt {
    const object: ObjectRef = { group: '', version: 'v1', kind: 'K', resource: 'ks', name: 'n', uid };
    this.sequence += 1;
    const target = { content, fingerprint: `${user}-${content}` };
    return { id: `r${this.sequence}`, operation, object, base, target, user, admittedAt: this.now, wantedBy: [] };
  }

  private store(object: StoredObject): void {
    this.current = object;
    this.past.push(object);
  }

  private tick(): string {
    this.version += 1;
    return String(this.version);
  }

  private settle(): void {
    const live: LiveState = this.current && { uid: this.current.uid, state: this.current.state };
    const proof = proveObject(this.view, live, this.now, DEFAULT_PROOF_LIMITS);
    for (const change of proof.changes) {
      if (change.kind === 'observed') this.found.push(`observed ${change.operation}`);
      else if (change.attempt.operation === 'DELETE') this.found.push(`DELETE ${change.attempt.user}`);
      else this.found.push(`${change.attempt.operation} ${change.attempt.user} ${change.attempt.target.content}`);
    }
    this.view = nextView(this.view, proof, live);
  }
}
