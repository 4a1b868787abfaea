import type { Operation } from '#domain';
import { edited, isNoOp } from './simulated-object.ts';
import type { SimulatedObject } from './simulated-object.ts';

/** Takes the next number below a bound from a run's entropy; 0 once that is used up. */
export type Draw = (below: number) => number;

/** One admission call. */
export interface Call {
  id: string;
  operation: Operation;
  user: string;
  /** Through the scale subresource. */
  scale: boolean;
  base: SimulatedObject | undefined;
  /** The object as it shall be; absent for DELETE. */
  asked: SimulatedObject | undefined;
  at: number;
}

/** One version that was stored; `after` is absent for the one that removed the object. */
export interface Write {
  operation: Operation;
  uid: string;
  version: string;
  before: SimulatedObject | undefined;
  after: SimulatedObject | undefined;
  /** Absent for writes through status. */
  call: Call | undefined;
}

/** What kind of object it is, and how the run goes. */
export interface Kind {
  hasGeneration: boolean;
  /** Its stored version has a default that the one of the webhook's calls lacks. */
  converts: boolean;
  /** A controller annotates it through status. */
  isAnnotated: boolean;
  /** A controller labels it through status. */
  isLabelled: boolean;
  /** Users share one field manager. */
  sharesManager: boolean;
  /** Nobody writes twice in one second: times in managedFields tell writes apart. */
  isSlow: boolean;
}

interface Request {
  /** Ends before requests that come later can be told apart from it by time. */
  brief: boolean;
  run: () => void;
}

/** How old a read from the watch cache may be, in ms. */
const CACHE_LAG_MS = 500;
const MAX_TRIES = 5;

export const EXCLUDED_USER = 'robot';
const USERS = ['ann', 'bob', 'cat', EXCLUDED_USER];

/**
 * A model of the API server for one object name: admission calls that come before storage, optimistic writes with retries,
 * stale reads, requests that somebody else rejects, status writes without a call, finalizers and recreation.
 */
export class SimulatedApiServer {
  readonly calls: Call[] = [];
  readonly writes: Write[] = [];
  current: SimulatedObject | undefined;
  now = 1_000_000;
  private past: { object: SimulatedObject; until: number }[] = [];
  private inFlight: Request[] = [];
  private version = 10;
  private sequence = 0;

  constructor(
    private readonly kind: Kind,
    private readonly draw: Draw,
    private readonly admit: (call: Call) => void,
  ) {}

  /** As managedFields tell it. */
  private get time(): number {
    return this.kind.isSlow ? this.now : Math.floor(this.now / 1000) * 1000;
  }

  get isBusy(): boolean {
    return this.inFlight.length > 0;
  }

  /** A request between admission and storage goes on. */
  proceed(): void {
    this.now += 1;
    this.inFlight.splice(this.draw(this.inFlight.length || 1), 1)[0]?.run();
  }

  pass(ms: number): void {
    for (let at: number; (at = this.inFlight.findIndex(({ brief }) => brief)) >= 0; this.now += 1)
      this.inFlight.splice(at, 1)[0]?.run();
    this.now += ms;
  }

  create(): void {
    const user = this.drawUser();
    const asked: SimulatedObject = {
      uid: `uid${this.next()}`,
      version: '',
      body: this.drawBody(),
      replicas: 1,
      label: 0,
      selected: this.draw(5) !== 1,
      defaulted: false,
      annotation: 0,
      owners: [`${this.managerOf(user)}@${this.time}`],
      generation: this.kind.hasGeneration ? 1 : 0,
      writtenAt: this.time,
      dying: false,
    };
    const rejected = this.isRejected();
    const call = this.call('CREATE', user, undefined, asked);
    this.send(false, () => {
      if (!rejected && this.current === undefined) this.store(call, this.stored(asked));
    });
  }

  update(): void {
    const user = this.drawUser();
    const body = this.drawBody();
    const what = this.draw(6);
    const applies = this.draw(4) === 1;
    const rejected = this.isRejected();
    const stale = this.draw(3) === 1;
    this.requestUpdate(user, stale, rejected, (base) => {
      const selected = what === 1 ? !base.selected : base.selected;
      const defaulted = what !== 2 && base.defaulted; // a PUT, not a patch
      return edited(base, { body, selected, defaulted }, { manager: this.managerOf(user), time: this.time, applies });
    });
  }

  scale(): void {
    const user = this.drawUser();
    const replicas = this.draw(3);
    const rejected = this.isRejected();
    const change = (base: SimulatedObject): SimulatedObject =>
      base.replicas === replicas ? base : { ...base, version: '', replicas, generation: base.generation + 1 };
    if (this.kind.hasGeneration) this.requestUpdate(user, false, rejected, change, true);
  }

  remove(): void {
    const finalized = this.draw(2) === 1;
    const immediate = this.draw(2) === 1;
    this.requestRemoval(this.drawUser(), this.draw(4) === 1, this.isRejected(), finalized, immediate);
  }

  /** A controller clears the last finalizer. */
  finalize(): void {
    const base = this.current;
    if (base?.dying !== true) return;
    const call = this.call('UPDATE', 'controller', base, { ...base, version: '' });
    this.send(false, () => {
      if (this.current?.version === base.version) this.end(call);
    });
  }

  /** Through the status subresource: no admission call. */
  writeStatus(): void {
    const before = this.current;
    if (before === undefined) return;
    const what = this.draw(3);
    const annotation = this.kind.isAnnotated && what === 1 ? this.draw(3) : before.annotation;
    const label = this.kind.isLabelled && what === 2 ? this.draw(3) : before.label;
    const selected = this.kind.isLabelled && what === 2 && this.draw(3) === 1 ? !before.selected : before.selected;
    this.store(undefined, { ...before, annotation, label, selected });
  }

  private requestUpdate(
    user: string,
    stale: boolean,
    rejected: boolean,
    change: (base: SimulatedObject) => SimulatedObject,
    scale = false,
    tries = 0,
  ): void {
    const base = (stale ? this.recent() : undefined) ?? this.current;
    if (base === undefined || tries > MAX_TRIES) return;
    const asked = change(base);
    const call = this.call('UPDATE', user, base, asked, scale);
    this.send(scale, () => {
      if (rejected) return;
      if (this.current?.version !== base.version)
        return this.requestUpdate(user, false, rejected, change, scale, tries + 1);
      const stored = this.stored(asked);
      if (!isNoOp(base, stored)) this.store(call, stored);
    });
  }

  private requestRemoval(
    user: string,
    stale: boolean,
    rejected: boolean,
    finalized: boolean,
    immediate: boolean,
  ): void {
    // The API server reads the object itself before it calls: one that is gone makes no call.
    const recent = stale ? this.recent() : undefined;
    const base = recent?.uid === this.current?.uid ? (recent ?? this.current) : this.current;
    if (base === undefined) return;
    const call = this.call('DELETE', user, base, undefined);
    this.send(true, () => {
      const { current } = this;
      if (rejected || current?.uid !== base.uid) return;
      if (current.version !== base.version) this.requestRemoval(user, false, rejected, finalized, immediate);
      else if (current.dying) {
        if (immediate) this.end(call);
      } else if (finalized) this.store(call, { ...current, dying: true });
      else this.end(call);
    });
  }

  private send(brief: boolean, run: () => void): void {
    // What only its content tells apart is told apart by time, too.
    this.inFlight.push({ brief: brief || this.kind.isAnnotated, run });
  }

  /** A state that the watch cache may still show. */
  private recent(): SimulatedObject | undefined {
    return this.past.findLast(({ until }) => this.now - until <= CACHE_LAG_MS)?.object;
  }

  private stored(asked: SimulatedObject): SimulatedObject {
    return { ...asked, defaulted: asked.defaulted || this.kind.converts };
  }

  private store(call: Call | undefined, object: SimulatedObject): void {
    const after = { ...object, version: this.tick() };
    this.leave(call, after.uid, after.version, after);
  }

  private end(call: Call): void {
    this.leave(call, this.current?.uid ?? '', this.tick(), undefined);
  }

  private leave(call: Call | undefined, uid: string, version: string, after: SimulatedObject | undefined): void {
    const before = this.current;
    if (before !== undefined) this.past.push({ object: before, until: this.now });
    this.writes.push({ operation: call?.operation ?? 'UPDATE', uid, version, before, after, call });
    this.current = after;
  }

  private call(
    operation: Operation,
    user: string,
    base: SimulatedObject | undefined,
    asked: SimulatedObject | undefined,
    scale = false,
  ): Call {
    const call: Call = { id: `r${this.next()}`, operation, user, scale, base, asked, at: this.now };
    this.calls.push(call);
    this.admit(call);
    return call;
  }

  private drawUser(): string {
    return USERS[this.draw(USERS.length)] ?? '';
  }

  private drawBody(): string {
    return `body${this.draw(4)}`;
  }

  private isRejected(): boolean {
    return this.draw(6) === 1;
  }

  private managerOf(user: string): string {
    return this.kind.sharesManager ? 'kubectl' : user;
  }

  private next(): number {
    return (this.sequence += 1);
  }

  private tick(): string {
    return String((this.version += 1));
  }
}
