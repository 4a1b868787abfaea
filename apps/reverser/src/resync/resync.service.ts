import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { RepositoryKey } from '#domain';
import { objectPath } from '#git';
import { LedgerService, objectKey } from '#ledger';
import type { Standing } from '#ledger';
import { RepositoryQueues, ResyncQueue } from '#queue';
import { RecordArrivals } from '../capture/record-arrivals.service.ts';
import type { OpenedRepository } from '../repositories/opened-repository.ts';
import { RepositoryController } from '../repositories/repository-controller.service.ts';
import { SelectedTypes } from '../selection/selected-types.service.ts';
import { isPassed } from '../repositories/screen-listed.ts';
import { differing, observedState } from './compare-snapshot.ts';
import type { SnapshotItem } from './compare-snapshot.ts';
import { findOrphans, prunedChange } from './find-orphans.ts';
import type { Orphan } from './find-orphans.ts';
import { SnapshotReader } from './snapshot.service.ts';
import type { Snapshot } from './snapshot.service.ts';

/** Changes that are added to a queue in one go. */
const CHUNK = 500;
/** More removals at once than this need a person's word: a typing mistake in a rule must not empty an audit trail. */
const MASS_REMOVAL = 50;
/** A repository that is opened and the rules that name it come together. */
const GATHER_MS = 200;
/** What could not be compared, or not be decided, is compared again after this, then after twice as long each time. */
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 80_000;
/** How often it is looked whether all records of calls before the list have reached the ledger. */
const HELD_LOOK_MS = 50;

/**
 * Compares the cluster with a repository and queues what differs as observed changes. The list is read first, the ledger
 * after it: what an event explains is left to the event.
 */
@Injectable()
export class Resync implements OnApplicationShutdown {
  private readonly logger = new Logger(Resync.name);
  private readonly requested = new Map<string, { timer: NodeJS.Timeout; dueAt: number }>();
  /** Comparisons in a row that were not complete, by repository. */
  private readonly retries = new Map<string, number>();
  private ended = false;

  constructor(
    private readonly queue: ResyncQueue,
    private readonly repositories: RepositoryController,
    private readonly types: SelectedTypes,
    private readonly snapshots: SnapshotReader,
    private readonly ledger: LedgerService,
    private readonly queues: RepositoryQueues,
    private readonly arrivals: RecordArrivals,
  ) {}

  start(): void {
    this.queue.start(async (repository) => {
      const [namespace = '', name = ''] = repository.split('/');
      const key = { namespace, name };
      const complete = await this.run(key).catch((error: Error) => {
        this.logger.warn({ msg: 'comparing failed, it is tried again', repository, error: error.message });
        return false;
      });
      const retries = this.retries.get(repository) ?? 0;
      if (complete || !this.repositories.exists(key)) this.retries.delete(repository);
      else this.retries.set(repository, retries + 1);
      if (this.retries.has(repository)) this.ask(repository, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** retries));
    });
  }

  /** Asks for a comparison; requests that come together become one. Asked again where Redis is away. */
  request(key: RepositoryKey, reason: string): void {
    const repository = repositoryKeyText(key);
    if (this.ended) return;
    this.logger.log({ msg: 'resync requested', repository, reason });
    this.ask(repository, GATHER_MS);
  }

  onApplicationShutdown(): void {
    this.ended = true;
    for (const { timer } of this.requested.values()) clearTimeout(timer);
  }

  private ask(repository: string, delayMs: number): void {
    const dueAt = Date.now() + delayMs;
    const known = this.requested.get(repository);
    if (this.ended || (known !== undefined && known.dueAt <= dueAt)) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(() => {
      this.requested.delete(repository);
      this.queue.wake([repository]).catch(() => this.ask(repository, FIRST_RETRY_MS)); // Redis is away
    }, delayMs);
    this.requested.set(repository, { timer, dueAt });
  }

  /** @returns whether all that differs was decided: where not, it is to be compared again */
  private async run(key: RepositoryKey): Promise<boolean> {
    const startedAt = Date.now();
    const repository = repositoryKeyText(key);
    const target = this.repositories.opened(key);
    if (target === undefined) return false;
    const types = this.types.of(key);
    const { files } = await target.listFiles();
    const listedAt = Date.now();
    const snapshot = await this.snapshots.read(key, target.folder, types);
    // What was listed may be explained by a record that is still on its way to the ledger.
    for (const listed = this.arrivals.now(); this.arrivals.arrived().upTo < listed && !this.ended;)
      await pause(HELD_LOOK_MS);
    const changed = differing(snapshot.items, files);
    const open = await this.queueDiffering(key, changed, listedAt);
    const orphans = await this.findOrphans(target, snapshot, files);
    const heldBack = target.prune && orphans.length > MASS_REMOVAL && target.confirmedRemoval !== orphans.length;
    const removed = !target.prune || heldBack ? 0 : await this.prune(key, orphans);
    if (heldBack) target.massRemoval(orphans.length);
    target.resynced({
      objects: snapshot.items.length,
      differing: changed.map(({ path }) => path),
      orphaned: orphans.length,
      removed,
      heldBack,
      failed: snapshot.failed.map(({ type, error }) => `${type.resource}: ${error}`),
    });
    const ms = Date.now() - startedAt;
    const counts = { objects: snapshot.items.length, differing: changed.length, orphaned: orphans.length, removed };
    this.logger.log({
      msg: 'cluster and repository compared',
      repository,
      ...counts,
      failed: snapshot.failed.length,
      open,
      ms,
    });
    return open === 0;
  }

  /** @returns how many are left to what is being decided about them: who hears of that is not known yet */
  private async queueDiffering(key: RepositoryKey, items: SnapshotItem[], listedAt: number): Promise<number> {
    let open = 0;
    const run = randomUUID();
    for (let at = 0; at < items.length; at += CHUNK) {
      const chunk = items.slice(at, at + CHUNK);
      const standings = await this.ledger.standings(chunk.map(({ ref }) => objectKey(ref)));
      const wanted = chunk.filter((item, index) => !isWithheld(item, standings[index], key));
      const decided = wanted.filter((item) => {
        const standing = standings[chunk.indexOf(item)];
        return standing?.open !== true && !isPassed(item, standing?.settled);
      });
      const changes = decided.map((item) => observedState(item, listedAt));
      if (changes.length > 0) await this.queues.enqueue(key, changes, run);
      open += wanted.length - decided.length;
    }
    return open;
  }

  /** Files of ours without a selected object. What came into being after the list is left out: the ledger knows of it. */
  private async findOrphans(
    target: OpenedRepository,
    snapshot: Snapshot,
    files: Map<string, string>,
  ): Promise<Orphan[]> {
    const listed = new Set([...snapshot.items.map(({ path }) => path), ...snapshot.unrenderable]);
    const orphans = findOrphans(files.keys(), listed, snapshot.complete, target.folder, objectPath);
    if (orphans.length === 0) return [];
    const standings = await this.ledger.standings(orphans.map(({ ref }) => objectKey(ref)));
    return orphans.filter(({ listVersion }, index) => {
      const standing = standings[index];
      const settled = standing?.settled;
      const newer = settled !== undefined && !settled.gone && BigInt(settled.version) > BigInt(listVersion);
      return standing?.open !== true && !newer;
    });
  }

  /** @returns how many removals were queued */
  private async prune(key: RepositoryKey, orphans: Orphan[]): Promise<number> {
    const now = Date.now();
    const changes = orphans.map((orphan) => prunedChange(orphan, now));
    if (changes.length > 0) await this.queues.enqueue(key, changes, randomUUID());
    return changes.length;
  }
}

/** The newest change of the object was left out on purpose, as by spec.excludeUsers: so it stays left out. */
function isWithheld(item: SnapshotItem, standing: Standing | undefined, key: RepositoryKey): boolean {
  const withheld = standing?.withheld;
  return withheld?.uid === item.ref.uid && withheld.from.includes(repositoryKeyText(key));
}
