import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { Change, ChangeVerdict, RepositoryKey } from '#domain';
import { addInOrder } from './add-in-order.ts';
import { BatchVerdicts } from './batch-verdicts.ts';
import { changeJob } from './change-job.ts';
import { closeInTime } from './close-in-time.ts';
import { insist } from './insist.ts';
import { openQueue } from './open-queue.ts';
import { QUEUE_OPTIONS } from './queue-options.ts';
import type { QueueOptions } from './queue-options.ts';
import { DELETED, parseOwner, QueueOwners } from './queue-owners.ts';
import { RepositoryLock } from './repository-lock.ts';
import { RepositoryWorker } from './repository-worker.ts';
import type { BatchHandler } from './repository-worker.ts';
import type { ChangeQueue, JobData } from './take-batch.ts';

/** Jobs that Redis removes while it serves nobody else. */
const OBLITERATE_AT_ONCE = 200;

/** One ordered queue for each GitRepoConfig: one job at a time over all replicas, and a batch for each push. */
@Injectable()
export class RepositoryQueues implements OnApplicationShutdown {
  private readonly logger = new Logger(RepositoryQueues.name);
  private readonly queues = new Map<string, ChangeQueue>();
  private readonly workers = new Map<string, RepositoryWorker>();
  private readonly verdicts: BatchVerdicts;
  private readonly owners: QueueOwners;
  private readonly ending = new AbortController();

  constructor(
    @Inject(QUEUE_OPTIONS) private readonly options: QueueOptions,
    private readonly lock: RepositoryLock,
  ) {
    this.verdicts = new BatchVerdicts(options.producer, options.prefix);
    this.owners = new QueueOwners(options.producer, options.prefix);
  }

  /**
   * From now on the queue is that of the GitRepoConfig with this uid: what another one of the same name has left in it is removed.
   * Waits for Redis, until the signal is aborted: then it rejects.
   * @param isCurrent whether the GitRepoConfig of this name has this uid now. It is asked where somebody else's uid is found:
   * the news that this one exists may be older than its successor.
   */
  async own(key: RepositoryKey, uid: string, signal: AbortSignal, isCurrent: () => Promise<boolean>): Promise<void> {
    await this.exclusively(key, signal, async () => {
      const owner = await this.owners.of(key);
      if (owner === uid) return;
      if (owner !== undefined) {
        if (!(await isCurrent())) throw new Error('The GitRepoConfig is not the current one of its name.');
        await this.obliterate(key);
      }
      await this.owners.set(key, uid);
    });
  }

  /**
   * The GitRepoConfig with this uid is gone: removes its queue with all that waits in it, whichever replica is the first. A queue
   * that another one of the same name owns by now is left alone. Waits for Redis as long as the process lives.
   */
  async disown(key: RepositoryKey, uid: string): Promise<void> {
    await this.exclusively(key, this.ending.signal, async () => {
      const owner = await this.owners.of(key);
      if (owner !== undefined && owner !== uid && owner !== DELETED) return;
      // First: whoever adds to it from now on notices.
      if (owner !== DELETED) await this.owners.setDeleted(key, Date.now());
      await this.obliterate(key);
    });
  }

  /** `namespace/name` → uid of each GitRepoConfig that has a queue, and of those that were deleted lately. Rejects while Redis is away. */
  async listOwners(): Promise<Map<string, string>> {
    return this.owners.all();
  }

  /**
   * Appends in the given order. A change whose job is already there is not added twice; `run` names a resync. After a
   * rejection the same call can be made again: what was refused has not been overtaken. Changes for a GitRepoConfig that
   * was deleted are dropped.
   */
  async enqueue(key: RepositoryKey, changes: Change[], run?: string): Promise<void> {
    const jobs = changes.map((change) => changeJob(change, run));
    const entry = { hash: this.owners.hash, field: repositoryKeyText(key) };
    const owner = parseOwner(await addInOrder(this.queue(key), jobs, entry));
    if (owner === DELETED) await this.disown(key, owner);
  }

  /**
   * Starts this replica's worker of a repository, for the GitRepoConfig that owns its queue; with one running already, does nothing. Waits for Redis by itself. After
   * its handler has handed a batch back it is to be started again.
   */
  start(key: RepositoryKey, uid: string, handle: BatchHandler): void {
    const name = queueName(key);
    if (this.workers.has(name)) return;
    const { options, verdicts, owners } = this;
    const onHandBack = (worker: RepositoryWorker): void => {
      if (this.workers.get(name) === worker) this.workers.delete(name);
    };
    const queue = (): ChangeQueue => this.queue(key);
    const parts = { key, uid, name, options, verdicts, owners, handle, queue, onHandBack };
    this.workers.set(name, new RepositoryWorker(parts));
  }

  /** Ends this replica's worker for a GitRepoConfig; a push under way is stopped, its batch stays queued. */
  async stop(key: RepositoryKey, uid: string): Promise<void> {
    const name = queueName(key);
    const worker = this.workers.get(name);
    if (worker?.uid !== uid) return; // none, or one for its successor
    this.workers.delete(name);
    await worker.close();
  }

  /** Ends a pause early: what it waited for may have healed. */
  async resumeNow(key: RepositoryKey): Promise<void> {
    await this.queue(key).removeRateLimitKey();
  }

  /** Changes that wait or are being written. */
  async countPending(key: RepositoryKey): Promise<number> {
    const counts = await this.queue(key).getJobCounts('waiting', 'active', 'delayed');
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  /** The job that is active or comes next, and for how long the queue is held, in ms. */
  async head(key: RepositoryKey): Promise<{ id: string | undefined; heldMs: number }> {
    const queue = this.queue(key);
    const [[active], [next], heldMs] = await Promise.all([
      queue.getActive(0, 0),
      queue.getWaiting(0, 0),
      queue.getRateLimitTtl(),
    ]);
    return { id: active?.id ?? next?.id, heldMs };
  }

  /**
   * Sets again what Redis forgets when it is emptied: that one job at a time is handed out, and whose they are. Answers whether
   * they are this GitRepoConfig's.
   */
  async keep(key: RepositoryKey, uid: string): Promise<boolean> {
    await this.queue(key).setGlobalConcurrency(1);
    return this.owners.keep(key, uid);
  }

  async onApplicationShutdown(): Promise<void> {
    this.ending.abort();
    await Promise.allSettled([...this.workers.values()].map((worker) => worker.close()));
    await Promise.allSettled([...this.queues.values()].map((queue) => closeInTime(queue.close())));
  }

  /** One replica at a time decides whose a queue is. Tried until it works, or the signal is aborted. */
  private async exclusively(key: RepositoryKey, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const repository = repositoryKeyText(key);
    await insist(
      () => this.lock.hold(`queue of ${repository}`, signal, work),
      signal,
      ({ message }, pauseMs) =>
        this.logger.warn({ msg: 'the owner of a queue is not settled yet', repository, error: message, pauseMs }),
    );
  }

  /** Removes a queue with its verdicts, and forgets it: nobody works on it now. */
  private async obliterate(key: RepositoryKey): Promise<void> {
    const queue = this.queue(key);
    await queue.obliterate({ force: true, count: OBLITERATE_AT_ONCE });
    await this.verdicts.forget(queue.name);
    this.queues.delete(queue.name);
    await closeInTime(queue.close());
  }

  private queue(key: RepositoryKey): ChangeQueue {
    const name = queueName(key);
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = openQueue<JobData, ChangeVerdict>(name, this.options, this.logger, () => this.queues.delete(name));
      this.queues.set(name, queue);
    }
    return queue;
  }
}

function queueName(key: RepositoryKey): string {
  return `repository.${key.namespace}.${key.name}`;
}
