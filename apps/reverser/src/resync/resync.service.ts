import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { RepositoryKey } from '#domain';
import { objectPath } from '#git';
import { LedgerService, objectKey } from '#ledger';
import { RepositoryQueues, ResyncQueue } from '#queue';
import { LedgerWriter } from '../capture/ledger-writer.service.ts';
import type { OpenedRepository } from '../repositories/opened-repository.ts';
import { RepositoryController } from '../repositories/repository-controller.service.ts';
import { SelectedTypes } from '../selection/selected-types.service.ts';
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
const RETRY_MS = 5_000;

/**
 * Compares the cluster with a repository and queues what differs as observed changes. The list is read first, the ledger
 * after it: what an event explains is left to the event.
 */
@Injectable()
export class Resync {
  private readonly logger = new Logger(Resync.name);

  constructor(
    private readonly queue: ResyncQueue,
    private readonly repositories: RepositoryController,
    private readonly types: SelectedTypes,
    private readonly snapshots: SnapshotReader,
    private readonly ledger: LedgerService,
    private readonly writer: LedgerWriter,
    private readonly queues: RepositoryQueues,
  ) {}

  start(): void {
    this.queue.start(async (id) => {
      const [namespace = '', name = ''] = id.split('/');
      await this.run({ namespace, name });
    });
  }

  /** Asks for a comparison; several requests become one. Asked again where Redis is away. */
  request(key: RepositoryKey, reason: string): void {
    const repository = repositoryKeyText(key);
    this.queue.wake([repository]).then(
      () => this.logger.log({ msg: 'resync requested', repository, reason }),
      () => setTimeout(() => this.request(key, reason), RETRY_MS).unref(),
    );
  }

  private async run(key: RepositoryKey): Promise<void> {
    const startedAt = Date.now();
    const repository = repositoryKeyText(key);
    const target = this.repositories.opened(key);
    if (target === undefined) return; // it asks again when it becomes ready
    const types = this.types.of(key);
    const { files } = await target.listFiles();
    const listedAt = Date.now();
    const snapshot = await this.snapshots.read(key, target.folder, types);
    const changed = differing(snapshot.items, files);
    await this.queueDiffering(key, changed, listedAt);
    const orphans = await this.findOrphans(target, snapshot, files);
    const heldBack = target.prune && orphans.length > MASS_REMOVAL && target.confirmedRemoval !== orphans.length;
    const removed = !target.prune || heldBack ? 0 : await this.prune(key, orphans, snapshot.version);
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
      ms,
    });
  }

  private async queueDiffering(key: RepositoryKey, items: SnapshotItem[], listedAt: number): Promise<void> {
    const run = randomUUID();
    for (let at = 0; at < items.length; at += CHUNK) {
      const chunk = items.slice(at, at + CHUNK);
      const standings = await this.ledger.standings(chunk.map(({ ref }) => objectKey(ref)));
      const decided = chunk.filter((_, index) => standings[index]?.open !== true);
      const changes = decided.map((item) => observedState(item, listedAt));
      if (changes.length > 0) await this.queues.enqueue(key, changes, run);
      // An attempt is undecided: once it is, the object is looked at again.
      for (const { ref } of chunk.filter((item) => !decided.includes(item))) {
        await this.writer.write({ object: ref, touch: true });
      }
    }
  }

  /** Files of ours without a selected object. What came into being after the list is left out: the ledger knows of it. */
  private async findOrphans(
    target: OpenedRepository,
    snapshot: Snapshot,
    files: Map<string, string>,
  ): Promise<Orphan[]> {
    const listed = new Set(snapshot.items.map(({ path }) => path));
    const orphans = findOrphans(files.keys(), listed, snapshot.complete, target.folder, objectPath);
    if (orphans.length === 0) return [];
    const standings = await this.ledger.standings(orphans.map(({ ref }) => objectKey(ref)));
    return orphans.filter((_, index) => {
      const standing = standings[index];
      const settled = standing?.settled;
      const newer = settled !== undefined && !settled.gone && BigInt(settled.version) > BigInt(snapshot.version);
      return standing?.open !== true && !newer;
    });
  }

  /** @returns how many removals were queued */
  private async prune(key: RepositoryKey, orphans: Orphan[], version: string): Promise<number> {
    const now = Date.now();
    const changes = orphans.map((orphan) => prunedChange(orphan, version, now));
    if (changes.length > 0) await this.queues.enqueue(key, changes, randomUUID());
    return changes.length;
  }
}
