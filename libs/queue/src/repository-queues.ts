import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Change, ChangeVerdict, RepositoryKey } from '#domain';
import { addInOrder } from './add-in-order.ts';
import { BatchVerdicts } from './batch-verdicts.ts';
import { changeJob } from './change-job.ts';
import { closeInTime } from './close-in-time.ts';
import { openQueue } from './open-queue.ts';
import { QUEUE_OPTIONS } from './queue-options.ts';
import type { QueueOptions } from './queue-options.ts';
import { RepositoryWorker } from './repository-worker.ts';
import type { BatchHandler } from './repository-worker.ts';
import type { ChangeQueue } from './take-batch.ts';

/** One ordered queue for each GitRepoConfig: one job at a time over all replicas, and a batch for each push. */
@Injectable()
export class RepositoryQueues implements OnApplicationShutdown {
  private readonly logger = new Logger(RepositoryQueues.name);
  private readonly queues = new Map<string, ChangeQueue>();
  private readonly workers = new Map<string, RepositoryWorker>();
  private readonly verdicts: BatchVerdicts;

  constructor(@Inject(QUEUE_OPTIONS) private readonly options: QueueOptions) {
    this.verdicts = new BatchVerdicts(options.producer, options.prefix);
  }

  /**
   * Appends in the given order. A change whose job is already there is not added twice; `run` names a resync. After a
   * rejection the same call can be made again: what was refused has not been overtaken.
   */
  async enqueue(key: RepositoryKey, changes: Change[], run?: string): Promise<void> {
    await addInOrder(
      this.queue(key),
      changes.map((change) => changeJob(change, run)),
    );
  }

  /**
   * Starts this replica's worker of a repository; with one running already, does nothing. Waits for Redis by itself. After
   * its handler has handed a batch back it is to be started again.
   */
  start(key: RepositoryKey, handle: BatchHandler): void {
    const name = queueName(key);
    if (this.workers.has(name)) return;
    const { options, verdicts } = this;
    const onHandBack = (worker: RepositoryWorker): void => {
      if (this.workers.get(name) === worker) this.workers.delete(name);
    };
    const queue = (): ChangeQueue => this.queue(key);
    this.workers.set(name, new RepositoryWorker({ key, name, options, verdicts, handle, queue, onHandBack }));
  }

  /** Ends this replica's worker; a push under way is stopped, its batch stays queued. */
  async stop(key: RepositoryKey): Promise<void> {
    const name = queueName(key);
    const worker = this.workers.get(name);
    this.workers.delete(name);
    await worker?.close();
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

  /** Sets again what Redis forgets when it is emptied: that one job at a time is handed out. */
  async keepLimit(key: RepositoryKey): Promise<void> {
    await this.queue(key).setGlobalConcurrency(1);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.allSettled([...this.workers.values()].map((worker) => worker.close()));
    await Promise.allSettled([...this.queues.values()].map((queue) => closeInTime(queue.close())));
  }

  private queue(key: RepositoryKey): ChangeQueue {
    const name = queueName(key);
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = openQueue<Change, ChangeVerdict>(name, this.options, this.logger, () => this.queues.delete(name));
      this.queues.set(name, queue);
    }
    return queue;
  }
}

function queueName(key: RepositoryKey): string {
  return `repository.${key.namespace}.${key.name}`;
}
