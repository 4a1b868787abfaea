import { Injectable, Logger } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { KubeObject, RepositoryKey } from '#domain';
import { KubeApi } from '#k8s';
import { DEFAULT_PROOF_LIMITS, isRestored, LedgerService, nextView, proveObject, rewindView } from '#ledger';
import type { LedgerEntry, LiveState, Proof } from '#ledger';
import { RepositoryQueues } from '#queue';
import { newestManagers } from '../capture/newest-write.ts';
import { UnannouncedChanges } from '../capture/unannounced-changes.service.ts';
import { RecordArrivals } from '../capture/record-arrivals.service.ts';
import type { Arrived } from '../capture/record-arrivals.service.ts';
import { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import { SelectedTypes } from '../selection/selected-types.service.ts';
import { doubtOf } from './doubt-of.ts';
import { nextLookIn, QUICK_LOOKS_MS } from './look-again.ts';
import { ObjectHistory } from './object-history.service.ts';
import { ObjectReader } from './object-reader.service.ts';
import { planChanges, withheldAfter } from './plan-changes.ts';
import type { LiveView, RoutedChange } from './plan-changes.ts';

/** What is open for longer than this is not waited for inside one job. */
const LONG_OPEN_MS = 1_000;
/** Until it is looked again whether records have come that may be on their way. */
const WAIT_MS = 100;

interface Look {
  entry: LedgerEntry;
  live: LiveState;
  view: LiveView | undefined;
}

/** When a look began: the clock, in ms since the epoch, and which records had come. */
interface Moment {
  now: number;
  arrived: Arrived;
}

/** Decides what became of the attempts on one object name, and queues the changes that were persisted. */
@Injectable()
export class Settler {
  private readonly logger = new Logger(Settler.name);

  /** Told when versions went back: whoever compares has to do it again. */
  onRestored: () => void = () => undefined;

  constructor(
    private readonly api: KubeApi,
    private readonly ledger: LedgerService,
    private readonly queues: RepositoryQueues,
    private readonly objects: ObjectReader,
    private readonly history: ObjectHistory,
    private readonly types: SelectedTypes,
    private readonly metrics: ReverserMetrics,
    private readonly arrivals: RecordArrivals,
    private readonly unannounced: UnannouncedChanges,
  ) {}

  /** One settle job. Rejects where the API server or Redis can't be asked: the ledger makes the name due again. */
  async settle(id: string): Promise<void> {
    for (const pause of [...QUICK_LOOKS_MS, undefined]) {
      // Before anything is read: whoever pauses in between must not take an attempt for older than it was then.
      const now = Date.now();
      const arrived = this.arrivals.arrived();
      const first = await this.look(id);
      if (first === undefined) return this.ledger.forgetUnknown(id);
      const decided = await this.decide(id, first, { now, arrived });
      if (decided === undefined) return;
      const { look, proof } = decided;
      await this.enqueue(look, proof, now);
      const age = now - Math.max(0, ...proof.pending.map((attempt) => attempt.admittedAt), ...looksSince(look.entry));
      const next = {
        ...nextView(look.entry.view, proof, look.live),
        watchers: look.view?.watchers ?? look.entry.watchers,
        withheld: withheldAfter(proof, look.entry, look.view),
      };
      const open = await this.ledger.conclude(id, look.entry, next, { now, nextLook: now + nextLookIn(age) });
      if (open === undefined) return; // another replica has decided meanwhile, and makes it due where that is needed
      this.count(proof);
      if (open === 0) return;
      // Only what is new is worth waiting for here: the rest is due again by itself.
      if (pause === undefined || age > LONG_OPEN_MS) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** With what the API server's history adds, where a heard attempt would be given up; undefined where it has to wait. */
  private async decide(
    id: string,
    look: Look,
    { now, arrived }: Moment,
  ): Promise<{ look: Look; proof: Proof } | undefined> {
    const proof = proveObject(look.entry.view, look.live, now, DEFAULT_PROOF_LIMITS);
    if (await this.mustWait(id, look, proof, { now, arrived })) return undefined;
    const entry = await this.history.extend(look.entry, proof);
    if (entry === undefined) return { look, proof };
    return { look: { ...look, entry }, proof: proveObject(entry.view, look.live, now, DEFAULT_PROOF_LIMITS) };
  }

  /**
   * A replica may hold in memory what Redis could not take from it: after Redis was away nothing is decided before all of it
   * has come. So is what nothing speaks for but that no record is known, which is how a record looks that another replica alone
   * could not write.
   */
  private async mustWait(id: string, { entry }: Look, proof: Proof, { now, arrived }: Moment): Promise<boolean> {
    const doubt = doubtOf(proof, entry.doubt, { now, redisNow: this.arrivals.now() });
    if (arrived.upTo >= Math.max(arrived.redisSince, doubt?.since ?? 0)) return false;
    await this.ledger.putOff(id, doubt, now + WAIT_MS);
    return true;
  }

  /**
   * Live first, the ledger second: what is visible live was admitted, hence recorded, before. That a uid is gone is only
   * proven by a live read after its last state was known, so a uid that is new in the ledger asks for one more read. So does a
   * verdict that came in between: to a replica that paused, a live state from before would look like a restored one.
   */
  private async look(id: string): Promise<Look | undefined> {
    let known = await this.read(id);
    while (known !== undefined) {
      const object = await this.api.readLive(known.object);
      const entry = await this.read(id);
      if (entry === undefined) return undefined;
      const uids = uidsOf(known);
      const absent = [...uidsOf(entry)].filter((uid) => uid !== object?.metadata.uid);
      const isFresh = entry.revision === known.revision && absent.every((uid) => uids.has(uid));
      if (isFresh) return this.noticingRestore(await this.describe(entry, object));
      known = entry;
    }
    return undefined;
  }

  /** Its object is in the version that is registered now: where one is not served any more, nothing would seem to be there. */
  private async read(id: string): Promise<LedgerEntry | undefined> {
    const entry = await this.ledger.read(id);
    if (entry === undefined) return undefined;
    const { object } = entry;
    const { version = object.version } = this.types.find(object.group, object.resource) ?? {};
    return { ...entry, object: { ...object, version } };
  }

  /** After a restore of the API server's storage versions begin anew: what was known lies in a future that is no more. */
  private noticingRestore(look: Look): Look {
    const { entry, live } = look;
    if (live === undefined || !isRestored(entry.view, live)) return look;
    const { namespace, kind, name } = entry.object;
    const versions = { live: live.state.version, settled: entry.view.settled?.version };
    this.logger.warn({
      msg: 'the cluster was restored to an earlier state: all is compared anew',
      kind,
      namespace,
      name,
      ...versions,
    });
    this.onRestored();
    return { ...look, entry: { ...entry, view: rewindView(entry.view, live.state.version), withheld: undefined } };
  }

  private async describe(entry: LedgerEntry, object: KubeObject | undefined): Promise<Look> {
    if (object === undefined) return { entry, live: undefined, view: undefined };
    const { ref, state, content, watchers } = await this.objects.stateOf(entry.object, object);
    const managers = newestManagers(object.metadata.managedFields);
    return {
      entry,
      live: { uid: ref.uid, state },
      view: { ref, version: state.version, content, managers, watchers, dying: state.dying },
    };
  }

  private async enqueue(look: Look, proof: Proof, now: number): Promise<void> {
    const { changes, unseen } = planChanges(proof, look.entry, look.view, now);
    for (const { version } of unseen) {
      this.metrics.eventProcessed({ operation: 'UPDATE', result: 'dropped', reason: 'content-unseen' });
      this.logger.warn({
        msg: 'an intermediate state was never seen whole: its change is part of the next commit',
        version,
      });
    }
    for (const { change } of changes) {
      if (change.origin === 'observed' && change.presumed !== true)
        this.unannounced.count(change.object, change.resourceVersion);
    }
    for (const [repository, routed] of groupByRepository(changes)) {
      await this.queues.enqueue(
        repository,
        routed.map(({ change }) => change),
      );
    }
  }

  private count(proof: Proof): void {
    for (const { attempt, reason } of proof.dismissed) {
      this.metrics.eventProcessed({ operation: attempt.operation, result: 'dropped', reason });
    }
  }
}

/** When the calls came whose content is not known, in ms since the epoch. */
function looksSince({ looks }: LedgerEntry): number[] {
  return looks.map((until) => until - DEFAULT_PROOF_LIMITS.requestLimitMs);
}

function uidsOf(entry: LedgerEntry): Set<string> {
  return new Set(entry.view.states.map(({ uid }) => uid));
}

function groupByRepository(changes: RoutedChange[]): [RepositoryKey, RoutedChange[]][] {
  const groups = new Map<string, [RepositoryKey, RoutedChange[]]>();
  for (const routed of changes) {
    for (const key of routed.repositories) {
      const text = repositoryKeyText(key);
      const group = groups.get(text) ?? [key, []];
      group[1].push(routed);
      groups.set(text, group);
    }
  }
  return [...groups.values()];
}
