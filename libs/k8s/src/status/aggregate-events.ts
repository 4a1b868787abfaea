import type { KubeObject } from '#domain';

/** What happened to an object, for `kubectl describe` and `kubectl events`. */
export interface EventRecord {
  regarding: KubeObject;
  type: 'Normal' | 'Warning';
  /** CamelCase, for machines. */
  reason: string;
  /** For people; cut at 1024 characters, the API's limit. */
  message: string;
  /** What was tried: `Push`, `Probe`, `Reconcile`. */
  action: string;
}

export const MAX_NOTE = 1024;
const MAX_SHORT = 128;
/** After this long without a repetition the same event is a new one, as in client-go. */
const SERIES_WINDOW_MS = 6 * 60_000;
/** A repeated event is written again this often at most. */
const SERIES_WRITE_MS = 30_000;
/** New events for one object: this many at once, and one more for each refill. */
const BURST = 25;
const REFILL_MS = 60_000;
/** Series and objects that are remembered. */
const MAX_REMEMBERED = 1_000;

/** What must be written for one emission. */
export type EventDecision =
  | { write: 'create'; key: string }
  | { write: 'series'; key: string; count: number }
  /** Counted; the series is due at `at`. */
  | { write: 'later'; key: string; at: number }
  /** Too many different events for this object. */
  | { write: 'drop' };

interface Series {
  count: number;
  writtenCount: number;
  lastAt: number;
  writtenAt: number;
}

/** Turns a flood of events into a few writes. No I/O; times are arguments, in milliseconds. */
export class EventAggregator {
  private readonly series = new Map<string, Series>();
  private readonly budgets = new Map<string, { tokens: number; at: number }>();

  record(event: EventRecord, now: number): EventDecision {
    const key = eventKey(event);
    const known = this.series.get(key);
    if (known === undefined || now - known.lastAt > SERIES_WINDOW_MS) {
      if (!this.takeToken(event.regarding.metadata.uid ?? '', now)) return { write: 'drop' };
      remember(this.series, key, { count: 1, writtenCount: 1, lastAt: now, writtenAt: now });
      return { write: 'create', key };
    }
    known.count += 1;
    known.lastAt = now;
    return this.due(key, now) ?? { write: 'later', key, at: known.writtenAt + SERIES_WRITE_MS };
  }

  /** The series write of a key if its time has come, or at once with `force`. Afterwards it counts as written. */
  due(key: string, now: number, force = false): (EventDecision & { write: 'series' }) | undefined {
    const known = this.series.get(key);
    if (known === undefined || known.count === known.writtenCount) return undefined;
    if (!force && now < known.writtenAt + SERIES_WRITE_MS) return undefined;
    known.writtenCount = known.count;
    known.writtenAt = now;
    return { write: 'series', key, count: known.count };
  }

  /** The event could not be written, or was removed: the next emission starts a new one. */
  forget(key: string): void {
    this.series.delete(key);
  }

  private takeToken(uid: string, now: number): boolean {
    const budget = this.budgets.get(uid) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, budget.tokens + (now - budget.at) / REFILL_MS);
    const taken = tokens >= 1;
    remember(this.budgets, uid, { tokens: taken ? tokens - 1 : tokens, at: now });
    return taken;
  }
}

/** The `events.k8s.io/v1` object for a first emission. `suffix` makes the name unique. */
export function buildEvent(
  event: EventRecord,
  at: { now: number; suffix: string; controller: string; instance: string },
): KubeObject {
  const { regarding } = event;
  const namespace = regarding.metadata.namespace ?? 'default'; // where Kubernetes keeps events of cluster-scoped objects
  // other kinds' names may hold more than an event's may
  const stem = (regarding.metadata.name ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z0-9]+/, '');
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace, name: `${stem.slice(0, 200).replace(/[^a-z0-9]+$/, '') || 'event'}.${at.suffix}` },
    eventTime: microTime(at.now),
    regarding: {
      apiVersion: regarding.apiVersion,
      kind: regarding.kind,
      namespace: regarding.metadata.namespace,
      name: regarding.metadata.name,
      uid: regarding.metadata.uid,
      resourceVersion: regarding.metadata.resourceVersion,
    },
    type: event.type,
    reason: event.reason.slice(0, MAX_SHORT),
    action: event.action.slice(0, MAX_SHORT),
    note: cutNote(event.message),
    reportingController: at.controller,
    reportingInstance: at.instance.slice(0, MAX_SHORT),
  };
}

/** The API's MicroTime: RFC 3339 with six digits. */
export function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z');
}

/** The API counts bytes. */
function cutNote(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= MAX_NOTE) return message;
  return `${bytes
    .subarray(0, MAX_NOTE - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}

function eventKey({ regarding, type, reason, action, message }: EventRecord): string {
  return JSON.stringify([regarding.metadata.uid, type, reason, action, message]);
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) for (const oldest of map.keys()) return void map.delete(oldest);
}
