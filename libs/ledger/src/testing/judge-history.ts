import { compareVersions } from '../proof.ts';
import type { ProvenChange } from '../proof.ts';
import { factsOf } from './simulated-git.ts';
import { EXCLUDED_USER } from './simulated-api-server.ts';
import type { Call, Write } from './simulated-api-server.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import { contentOf, fingerprintOf } from './simulated-object.ts';
import type { SimulatedObject } from './simulated-object.ts';

/** A write that belongs into Git: it changed what somebody selects, and nobody excludes its user. */
function isWanted(write: Write): boolean {
  return write.call?.user !== EXCLUDED_USER && isNews(write);
}

function isNews({ operation, before, after }: Write): boolean {
  if (before?.dying === true) return false;
  if (operation === 'DELETE') return before?.selected === true;
  return after?.selected === true && textOf(before) !== textOf(after);
}

/** What was stored and what was found, in the same words: equal where every call was heard. */
export function compareHistory({ api, git }: SimulatedCluster): { stored: string[]; found: string[] } {
  const changes = git.commits.map(({ change }) => change);
  const stored: Write[] = [];
  for (const write of api.writes) {
    const next = changes[stored.length];
    if (isWanted(write) || (isArguable(write) && next !== undefined && isFound(next, write))) stored.push(write);
  }
  const found = changes.map((change, index) => {
    const write = stored[index];
    return write !== undefined && isFound(change, write) ? describeWrite(write) : describeFound(change);
  });
  return { stored: stored.map(describeWrite), found };
}

/**
 * Whether a write may be in Git or not. An excluded user asked for something together with others: one of those is the
 * author. An object was deleted that had just left the selection: maybe by a request that began before it left.
 */
function isArguable(write: Write): boolean {
  return isNews(write) || hadLeft(write);
}

function hadLeft({ operation, before }: Write): boolean {
  return operation === 'DELETE' && before?.dying === false && !before.selected;
}

function isFound(change: ProvenChange, write: Write): boolean {
  const { uid, operation, content } = factsOf(change);
  if (uid !== write.uid || operation !== write.operation) return false;
  if (change.kind === 'observed') return false;
  if (hadLeft(write)) return true;
  const isSame = content === textOf(write.after) && change.attempt.base === (write.call?.base?.version ?? null);
  if (operation !== 'DELETE' && !isSame) return false;
  return namedBy(change).includes(write.call?.user ?? '');
}

function describeFound(change: ProvenChange): string {
  const { uid, operation, content } = factsOf(change);
  return `${operation} ${uid} ${content} by ${namedBy(change).join('+')}`;
}

function describeWrite({ operation, uid, after, call }: Write): string {
  return `${operation} ${uid} ${operation === 'DELETE' ? '' : textOf(after)} by ${call?.user}`;
}

/** Who a change names: its author first; nobody where it is observed. */
function namedBy(change: ProvenChange): string[] {
  return change.kind === 'observed' ? [] : [change.attempt.user, ...change.alsoRequestedBy];
}

/**
 * What is wrong with what was found where calls may be lost, compared with what was stored:
 * - `invented`: a user is named who asked for nothing that was stored, or a state that never was.
 * - `missing`: a change whose call was heard, and that a proven state shows: each update where the API server tells its history.
 * - `needless`: observed, though its call was heard.
 * - `order`: versions go back.
 * - `untold`: an object whose creation nobody announced does not begin with its first state.
 * - `file`: Git holds something else than the API server in the end.
 */
export function judgeHistory(cluster: SimulatedCluster): string[] {
  const judge = new HistoryJudge(cluster);
  return [...judge.inventions(), ...judge.omissions(), ...judge.disorder(), ...judge.untold(), ...judge.wrongFile()];
}

class HistoryJudge {
  private readonly writes: Write[];
  private readonly changes: ProvenChange[];

  constructor(private readonly cluster: SimulatedCluster) {
    this.writes = cluster.api.writes;
    this.changes = cluster.git.commits.map(({ change }) => change);
  }

  *inventions(): Generator<string> {
    for (const { change, look } of this.cluster.git.commits) {
      const { uid, operation, version, content } = factsOf(change);
      const text = `${describeFound(change)} @${version}`;
      if (change.kind === 'observed') {
        if (operation === 'UPDATE' && !this.states(uid).some((o) => o.version === version && contentOf(o) === content))
          yield `invented: ${text}`;
        if (!this.mayBeObserved(change, look)) yield `needless: ${text}`;
        continue;
      }
      const { attempt } = change;
      const own = this.writes.find(({ call }) => call?.id === attempt.id);
      const equal = this.writes.some(
        (w) =>
          w.uid === uid &&
          w.operation === operation &&
          (w.call === undefined || !this.isHeard(w) || namedBy(change).includes(w.call.user)) &&
          isAfter(w.version, attempt.base) &&
          (operation === 'DELETE' || textOf(w.after) === content),
      );
      const asked = own?.call?.asked;
      if (own === undefined ? !equal : operation !== 'DELETE' && ![textOf(own.after), textOf(asked)].includes(content))
        yield `invented: ${text}`;
    }
  }

  *omissions(): Generator<string> {
    for (const write of this.writes.filter((w) => isWanted(w) && this.isHeard(w))) {
      const { uid, call, operation, version } = write;
      const isFound = this.changes.some(
        (change) =>
          change.kind === 'persisted' &&
          (change.attempt.id === call?.id ||
            (change.attempt.object.uid === uid &&
              change.attempt.operation === operation &&
              change.attempt.base === (call?.base?.version ?? null) &&
              namedBy(change).includes(call?.user ?? ''))),
      );
      if (!isFound && (this.isInHistory(write) || this.isProven(write)))
        yield `missing: ${describeWrite(write)} @${version}`;
    }
  }

  *disorder(): Generator<string> {
    const { queued } = this.cluster.git;
    for (const [index, { change, look }] of queued.entries()) {
      const before = queued[index - 1];
      if (before?.look === look && compareVersions(before.change.version, change.version) > 0)
        yield `order: ${describeFound(change)} @${change.version} after @${before.change.version}`;
    }
  }

  *untold(): Generator<string> {
    for (const creation of this.writes.filter((w) => w.operation === 'CREATE' && !this.isHeard(w))) {
      const { uid } = creation;
      const first = this.firstSeen(uid);
      if (first?.selected !== true || first.dying) continue;
      const told = this.cluster.git.queued.find(({ change }) => factsOf(change).uid === uid);
      if (
        told?.change.kind !== 'observed' ||
        told.change.operation !== 'UPDATE' ||
        told.change.version !== first.version
      )
        yield `untold: ${uid} @${first.version}`;
    }
  }

  *wrongFile(): Generator<string> {
    const { api, git } = this.cluster;
    const decisive = this.writes.findLast(
      (w) => w.before?.dying !== true && (w.operation === 'DELETE' || textOf(w.before) !== textOf(w.after)),
    );
    if (decisive === undefined || (this.isHeard(decisive) && decisive.call?.user === EXCLUDED_USER)) return;
    const isGone = decisive.operation === 'DELETE';
    if ((isGone ? decisive.before : decisive.after)?.selected !== true) return;
    if (!this.isHeard(decisive) && this.cluster.api.calls.some((call) => isMistakenFor(call, decisive))) return;
    const expected = isGone ? undefined : textOf(api.current);
    if (git.file !== expected) yield `file: ${git.file} instead of ${expected}`;
  }

  private isSeen({ uid, version }: { uid: string; version: string }, look = Infinity): boolean {
    const seen = this.cluster.settler.seen.get(`${uid}@${version}`);
    return seen !== undefined && seen <= look;
  }

  /** The oldest state that the first look saw which saw any. */
  private firstSeen(uid: string): SimulatedObject | undefined {
    const look = Math.min(
      ...this.states(uid).map(({ version }) => this.cluster.settler.seen.get(`${uid}@${version}`) ?? Infinity),
    );
    return this.states(uid).find((state) => this.isSeen(state, look));
  }

  private states(uid: string): SimulatedObject[] {
    return this.writes.flatMap(({ after }) => (after?.uid === uid ? [after] : []));
  }

  private isHeard({ call, before, after }: Write): boolean {
    const selected = before?.selected === true || after?.selected === true;
    return call !== undefined && selected && !this.cluster.recorder.unheard.has(call.id);
  }

  /** Whether the API server is asked for it where no proven state shows it: there is a version before it to begin from. */
  private isInHistory(write: Write): boolean {
    if (!this.cluster.weather.history) return false;
    if (write.operation === 'UPDATE') return true;
    const index = this.writes.indexOf(write);
    const isTold = (each: Write): boolean => each.uid !== write.uid && this.isSeen(each);
    return this.writes.slice(0, index).some(isTold) && this.writes.slice(index).some(isTold);
  }

  /** A state was proven that holds the write, and nothing that came after. */
  private isProven(write: Write): boolean {
    if (write.operation === 'DELETE') return true;
    const later = this.writes.slice(this.writes.indexOf(write));
    const end = later.findIndex(
      ({ before, after }, index) =>
        index > 0 &&
        (after === undefined ||
          after.dying ||
          textOf(before) !== textOf(after) ||
          fingerprintOf(before!) !== fingerprintOf(after)),
    );
    const held = end < 0 ? later : later.slice(0, end);
    return held.some((each) => this.isSeen(each));
  }

  /** Something before it was not heard, after what a proof had seen before. */
  private mayBeObserved(change: ProvenChange, look: number): boolean {
    const { uid, operation, version } = factsOf(change);
    const own = this.writes.filter((w) => w.uid === uid);
    if (operation === 'DELETE') return own.some((w) => w.operation === 'DELETE' && !this.isHeard(w));
    const index = own.findIndex((w) => w.version === version);
    for (let i = index; i >= 0; i--) {
      const write = own[i]!;
      if (i < index && this.isSeen(write, look)) return false;
      if (write.call === undefined ? textOf(write.before) !== textOf(write.after) : !this.isHeard(write)) return true;
    }
    return false;
  }
}

/** Where nobody announced a write, who asked for the same is believed: also to have made it nobody's business. */
function isMistakenFor({ operation, user, base, asked }: Call, write: Write): boolean {
  if ((base ?? asked)?.uid !== write.uid) return false;
  if (operation === 'DELETE') return write.operation === 'DELETE' && user === EXCLUDED_USER;
  if (write.operation === 'DELETE') return base?.selected !== asked?.selected;
  return user === EXCLUDED_USER && asked?.body === write.after?.body;
}

function textOf(object: SimulatedObject | undefined): string {
  return object === undefined ? '' : contentOf(object);
}

function isAfter(version: string, base: string | null): boolean {
  return base === null || compareVersions(version, base) > 0;
}
