import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { repositoryKeyText } from '#domain';
import type { Change, ChangeVerdict, RepositoryKey } from '#domain';
import { BatchVerdicts } from './batch-verdicts.ts';
import { changeJob } from './change-job.ts';
import { QUEUE_OPTIONS, WORKER_SETTINGS } from './queue-options.ts';
import type { QueueOptions } from './queue-options.ts';

/** How many waiting jobs the active one takes along in a push. */
const LOOK_AHEAD = 500;
/** Bytes of content that one push takes along at most; a larger job goes alone. */
const LOOK_AHEAD_BYTES = 32 * 1024 * 1024;

/** What the handler of a batch answers: verdicts for all of it, or how long to hold the queue before the same batch again. */
export type BatchOutcome = { verdicts: ChangeVerdict[] } | { holdMs: number };
export type BatchHandler = (changes: Change[], signal: AbortSignal) => Promise<BatchOutcome>;

interface Consumer {
  connection: Redis;
  worker: Worker<Change, ChangeVerdict>;
  abort: AbortController;
}

/** One ordered queue for each GitRepoConfig: one job at a time over all replicas, and a batch for each push. */
@Injectable()
export class RepositoryQueues implements OnApplicationShutdown {
  private readonly logger = new Logger(RepositoryQueues.name);
  private readonly queues = new Map<string, Queue<Change, ChangeVerdict>>();
  private readonly consumers = new Map<string, Consumer>();
  private readonly verdicts: BatchVerdicts;

  constructor(@Inject(QUEUE_OPTIONS) private readonly options: QueueOptions) {
    this.verdicts = new BatchVerdicts(options.producer, options.prefix);
  }

  /** Appends in the given order. A change whose job is already there is not added twice. */
  async enqueue(key: RepositoryKey, changes: Change[]): Promise<void> {
    await this.queue(key).addBulk(changes.map(changeJob));
  }

  /** Starts this replica's worker of a repository; with one running already, does nothing. */
  async start(key: RepositoryKey, handle: BatchHandler): Promise<void> {
    const name = queueName(key);
    if (this.consumers.has(name)) return;
    const abort = new AbortController();
    const connection = this.options.connectWorker();
    const queue = this.queue(key);
    const worker = new Worker<Change, ChangeVerdict>(name, (job) => this.process(queue, job, handle, abort.signal), {
      ...WORKER_SETTINGS,
      connection,
      prefix: this.options.prefix,
      concurrency: 1,
      autorun: false,
    });
    const log = { repository: repositoryKeyText(key) };
    worker.on('error', (error) => this.logger.warn({ msg: 'repository worker error', ...log, error: error.message }));
    // Set again after each reconnect: it is a key in Redis, which may have been emptied.
    const limit = (): void => {
      queue
        .setGlobalConcurrency(1)
        .catch((error: Error) => this.logger.warn({ msg: 'could not limit the queue', ...log, error: error.message }));
    };
    connection.on('ready', limit);
    this.consumers.set(name, { connection, worker, abort });
    await queue.setGlobalConcurrency(1);
    void worker
      .run()
      .catch((error: Error) => this.logger.error({ msg: 'repository worker ended', ...log, error: error.message }));
  }

  /** Ends this replica's worker; a push under way is stopped, its batch stays queued. */
  async stop(key: RepositoryKey): Promise<void> {
    const name = queueName(key);
    const consumer = this.consumers.get(name);
    if (consumer === undefined) return;
    this.consumers.delete(name);
    await close(consumer);
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

  async onApplicationShutdown(): Promise<void> {
    await Promise.allSettled([...this.consumers.values()].map(close));
    await Promise.allSettled([...this.queues.values()].map((queue) => queue.close()));
  }

  private async process(
    queue: Queue<Change, ChangeVerdict>,
    job: Job<Change, ChangeVerdict>,
    handle: BatchHandler,
    signal: AbortSignal,
  ): Promise<ChangeVerdict> {
    const name = queue.name;
    let verdict = await this.verdicts.take(name, String(job.id));
    if (verdict === undefined) {
      const batch = takeBatch(job, await queue.getWaiting(0, LOOK_AHEAD - 1));
      const outcome = await handle(
        batch.map((each) => each.data),
        signal,
      );
      if ('holdMs' in outcome) {
        await queue.rateLimit(outcome.holdMs);
        throw Worker.RateLimitError();
      }
      await this.verdicts.store(name, outcome.verdicts, job.data.eventId);
      verdict = outcome.verdicts.find((each) => each.eventId === job.data.eventId);
      if (verdict === undefined) throw new Error(`The batch gave no verdict on ${job.data.eventId}.`);
    }
    if (verdict.result === 'refused') throw new UnrecoverableError(`${verdict.code}: ${verdict.message}`);
    return verdict;
  }

  private queue(key: RepositoryKey): Queue<Change, ChangeVerdict> {
    const name = queueName(key);
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = new Queue<Change, ChangeVerdict>(name, {
        connection: this.options.producer,
        prefix: this.options.prefix,
        skipWaitingForReady: true,
      });
      queue.on('error', (error) =>
        this.logger.warn({ msg: 'repository queue error', queue: name, error: error.message }),
      );
      this.queues.set(name, queue);
    }
    return queue;
  }
}

/** The active job and the jobs behind it, oldest first, up to the limits. */
function takeBatch(
  active: Job<Change, ChangeVerdict>,
  waiting: Job<Change, ChangeVerdict>[],
): Job<Change, ChangeVerdict>[] {
  const batch = [active];
  let bytes = active.data.content?.length ?? 0;
  for (const job of waiting) {
    bytes += job.data.content?.length ?? 0;
    if (bytes > LOOK_AHEAD_BYTES) break;
    if (job.id !== active.id) batch.push(job);
  }
  return batch;
}

async function close(consumer: Consumer): Promise<void> {
  consumer.abort.abort();
  await consumer.worker.close();
  consumer.connection.disconnect();
}

function queueName(key: RepositoryKey): string {
  return `repository.${key.namespace}.${key.name}`;
}
