import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { KubeObject, ObjectRef, ResourceType } from '#domain';
import { InformerFactory } from '#k8s';
import type { KubeInformer } from '#k8s';
import { LedgerService, objectKey } from '#ledger';
import type { Standing, Watchers } from '#ledger';
import { RulesService } from '#rules';
import { LedgerWriter } from '../capture/ledger-writer.service.ts';
import { Namespaces } from '../capture/namespaces.service.ts';
import { RecordArrivals } from '../capture/record-arrivals.service.ts';
import { UnannouncedChanges } from '../capture/unannounced-changes.service.ts';
import { isWatched, watchersOf } from '../capture/watchers-of.ts';
import { CheckList } from './check-list.ts';
import type { Check } from './check-list.ts';
import { isNews, markOf } from './object-mark.ts';
import type { ObjectMark } from './object-mark.ts';

/** A version that no record explains after this long was not announced by the webhook. */
const PATIENCE_MS = 5_000;
const SWEEP_MS = 500;
const SWEEP_LIMIT = 1_000;
/** By which the API server's clock may be behind ours; a creation's time has whole seconds. */
const CLOCK_SKEW_MS = 3_000;

/** A mark, and what rules look at. */
interface Watched extends ObjectMark {
  object: KubeObject;
}

interface Subject {
  type: ResourceType;
  mark: Watched;
  news: 'added' | 'changed' | 'gone';
  watchers: Watchers | 'unknown';
  /** In ms of Redis' clock. */
  seenAt: number;
}

/**
 * Notices what the webhook was not told: an endpoint that could not be reached, a write through status, an eviction. It
 * watches the metadata of all selected kinds; a version that the ledger can't explain becomes a look at the live object.
 */
@Injectable()
export class Backstop implements OnApplicationShutdown {
  private readonly watches = new Map<string, KubeInformer<Watched>>();
  private readonly checks = new CheckList<Subject>();
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly informers: InformerFactory,
    private readonly rules: RulesService,
    private readonly namespaces: Namespaces,
    private readonly ledger: LedgerService,
    private readonly writer: LedgerWriter,
    private readonly unannounced: UnannouncedChanges,
    private readonly arrivals: RecordArrivals,
  ) {}

  start(): void {
    this.sweepLater();
  }

  /** Watches exactly these kinds from now on. */
  follow(types: ResourceType[]): void {
    const wanted = new Map(types.map((type) => [`${type.group}/${type.version}/${type.resource}`, type]));
    for (const [key, informer] of this.watches) {
      if (wanted.has(key)) continue;
      this.watches.delete(key);
      void informer.stop();
    }
    for (const [key, type] of wanted) {
      if (!this.watches.has(key) && !this.ended) this.watches.set(key, this.watch(type));
    }
  }

  async onApplicationShutdown(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await Promise.allSettled([...this.watches.values()].map((informer) => informer.stop()));
  }

  private watch(type: ResourceType): KubeInformer<Watched> {
    let synced = false;
    const since = Date.now() - CLOCK_SKEW_MS;
    const informer = this.informers.createInformer<Watched>({
      type,
      metadataOnly: true,
      transform: (object) => ({ ...markOf(object), object: slim(object) }),
      // What was there before is the first snapshot's business; its list may be older than this one's.
      onAdd: (mark) => (synced || mark.createdAt >= since) && this.suspect(type, mark, 'added'),
      onUpdate: (mark, previous) => isNews(previous, mark) && this.suspect(type, mark, 'changed'),
      onDelete: (mark) => this.suspect(type, mark, 'gone'),
    });
    void informer.synced.then(() => (synced = true));
    return informer;
  }

  private suspect(type: ResourceType, mark: Watched, news: Subject['news']): void {
    const [dueAt, seenAt] = [Date.now() + PATIENCE_MS, this.arrivals.now()];
    const id = `${objectKey({ ...type, ...mark })}/${mark.uid}`;
    void this.watchersOf(type, mark).then((watchers) => {
      if (watchers === 'nobody' || this.ended) return;
      this.checks.add({ id, version: mark.version, dueAt, subject: { type, mark, news, watchers, seenAt } });
    });
  }

  /** `nobody` where no rule selects the object, `unknown` where its namespace can't be read for now. */
  private async watchersOf(type: ResourceType, mark: Watched): Promise<Watchers | 'nobody' | 'unknown'> {
    const ref = refOf(type, mark);
    const labels = await this.namespaces.labelsOf(ref.namespace);
    const watchers = watchersOf(this.rules, ref, mark.object, labels);
    if (watchers === undefined) return 'unknown';
    return isWatched(watchers) ? watchers : 'nobody';
  }

  private sweepLater(): void {
    if (this.ended) return;
    this.timer = setTimeout(() => {
      void this.sweep().finally(() => this.sweepLater());
    }, SWEEP_MS);
  }

  private async sweep(): Promise<void> {
    const due = this.checks.takeDue(Date.now(), SWEEP_LIMIT);
    if (due.length === 0) return;
    try {
      const { upTo } = this.arrivals.arrived();
      const standings = await this.ledger.standings(
        due.map(({ subject }) => objectKey(refOf(subject.type, subject.mark))),
      );
      for (const [index, check] of due.entries()) await this.judge(check, standings[index], upTo);
    } catch {
      // Redis is away: records may be held in memory, here or elsewhere. Look again when they have had time to arrive.
      for (const check of due) this.checks.putBack({ ...check, dueAt: Date.now() + PATIENCE_MS });
    }
  }

  /** Whether the ledger holds the creation of an object, and nobody has seen any state of it: its end proves that it was there. */
  private async isOnlyAskedFor({ type, mark }: Subject): Promise<boolean> {
    const entry = await this.ledger.read(objectKey(refOf(type, mark)));
    const { attempts = [], states = [] } = entry?.view ?? {};
    return attempts.some(({ object }) => object.uid === mark.uid) && !states.some(({ uid }) => uid === mark.uid);
  }

  /** @param arrivedUpTo as it was before `standing` was read */
  private async judge(check: Check<Subject>, standing: Standing | undefined, arrivedUpTo: number): Promise<void> {
    const { subject } = check;
    const complete = arrivedUpTo >= subject.seenAt;
    const gone = subject.news === 'gone';
    if (!complete) return this.checks.putBack({ ...check, dueAt: Date.now() + SWEEP_MS });
    if (standing?.open === true && !(gone && (await this.isOnlyAskedFor(subject)))) {
      return this.checks.putBack({ ...check, dueAt: Date.now() + PATIENCE_MS });
    }
    if (explains(standing, check, gone)) return;
    const watchers =
      subject.watchers === 'unknown' ? await this.watchersOf(subject.type, subject.mark) : subject.watchers;
    if (watchers === 'nobody') return;
    if (watchers === 'unknown') return this.checks.putBack({ ...check, dueAt: Date.now() + PATIENCE_MS });
    const object = refOf(subject.type, subject.mark);
    // A change may be one of status alone, for kinds without a generation: what is committed is counted by the settler.
    if (subject.news === 'added') this.unannounced.count(object, check.version);
    const unknown = gone && standing?.settled?.uid !== object.uid;
    const state = { version: check.version, content: '', fingerprint: '', dying: false };
    await this.writer.write({
      object,
      lookUntil: 0,
      watchers,
      ...(unknown && { base: { uid: object.uid, state } }),
    });
  }
}

/** Whether the ledger knows of this version: it was settled, or a newer one was. */
function explains(standing: Standing | undefined, check: Check<Subject>, gone: boolean): boolean {
  const settled = standing?.settled;
  if (settled === undefined) return false;
  if (settled.uid !== check.subject.mark.uid) return BigInt(settled.version) >= BigInt(check.version);
  return gone ? settled.gone : BigInt(settled.version) >= BigInt(check.version);
}

function refOf({ group, version, kind, resource }: ResourceType, mark: ObjectMark): ObjectRef {
  const { namespace, name, uid } = mark;
  return { group, version, kind, resource, ...(namespace !== undefined && { namespace }), name, uid };
}

/** What rules look at, without what is large. */
function slim({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, labels, annotations, ownerReferences } = metadata;
  const ignore = annotations?.['gitops-reverser/ignore'];
  return {
    apiVersion,
    kind,
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(labels !== undefined && { labels }),
      ...(ignore !== undefined && { annotations: { 'gitops-reverser/ignore': ignore } }),
      ...(ownerReferences !== undefined && { ownerReferences }),
    },
  };
}
