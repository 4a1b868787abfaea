import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { UnrecoverableError, Worker } from 'bullmq';
import type { Job, Queue } from 'bullmq';
import { repositoryKeyText } from '#domain';
import type { Change, ChangeVerdict, RepositoryKey } from '#domain';
import { addInOrder } from './add-in-order.ts';
import { BatchVerdicts } from './batch-verdicts.ts';
import { changeJob } from './change-job.ts';
import { closeInTime } from './close-in-time.ts';
import { openQueue } from './open-queue.ts';
import { pairVerdicts } from './pair-verdicts.ts';
import { QUEUE_OPTIONS, WORKER_SETTINGS } from './queue-options.ts';
import { noteCopies } from './worker-connection.ts';
import type { WorkerConnection } from './worker-connection.ts';
import type { QueueOptions } from './queue-options.ts';

/** How many waiting jobs the active one takes along in a push. */
const LOOK_AHEAD = 500;
/** How many of them are read at once: a page of the largest objects still fits into memory. */
const LOOK_AHEAD_PAGE = 25;
/** Characters of content that one push takes along at most; a larger job goes alone. */
const LOOK_AHEAD_LENGTH = 32 * 1024 * 1024;
/** Pause after a failure that is nobody's verdict, such as Redis being away; doubles up to the longest. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

/** What the handler of a batch answers: a verdict for each change in their order, or how long to hold the queue before the same batch again. */
export type BatchOutcome = { verdicts: ChangeVerdict[] } | { holdMs: number };
export type BatchHandler = (changes: Change[], signal: AbortSignal) => Promise<BatchOutcome>;

interface Consumer {
  connection: WorkerConnection;
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

  /** Starts this replica's worker of a repository; with one running already, does nothing. Waits for Redis by itself. */
  start(key: RepositoryKey, handle: BatchHandler): void {
    const name = queueName(key);
    if (this.consumers.has(name)) return;
    const abort = new AbortController();
    const connection = noteCopies(this.options.connectWorker());
    const worker = new Worker<Change, ChangeVerdict>(name, (job) => this.process(key, job, handle, abort.signal), {
      ...WORKER_SETTINGS,
      connection: connection.redis,
      prefix: this.options.prefix,
      concurrency: 1,
      autorun: false,
    });
    const log = { repository: repositoryKeyText(key) };
    worker.on('error', (error) => this.logger.warn({ msg: 'repository worker error', ...log, error: error.message }));
    // Set again after each reconnect: it is a key in Redis, which may have been emptied.
    const limit = (): Promise<void> => this.limit(key, abort.signal);
    connection.redis.on('ready', () => void limit());
    this.consumers.set(name, { connection, worker, abort });
    void limit()
      .then(() => (abort.signal.aborted ? undefined : worker.run()))
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
    await Promise.allSettled([...this.consumers.values()].map(close));
    await Promise.allSettled([...this.queues.values()].map((queue) => closeInTime(queue.close())));
  }

  /** One job at a time over all replicas; tried until Redis takes it. */
  private async limit(key: RepositoryKey, signal: AbortSignal): Promise<void> {
    await this.insisting(key, signal, () => this.queue(key).setGlobalConcurrency(1)).catch(() => undefined); // it ended
  }

  private async process(
    key: RepositoryKey,
    job: Job<Change, ChangeVerdict>,
    handle: BatchHandler,
    signal: AbortSignal,
  ): Promise<ChangeVerdict> {
    // Only a verdict ends a job: any other failure would count as the job's own and take it out of the queue.
    const decided = await this.insisting(key, signal, () => this.decide(key, job, handle, signal));
    if (decided === 'held') throw Worker.RateLimitError();
    if (decided.result === 'refused') throw new UnrecoverableError(`${decided.code}: ${decided.message}`);
    return decided;
  }

  /** The verdict on a job; `held`: the job goes back to the head of the queue, for as long as its handler said. */
  private async decide(
    key: RepositoryKey,
    job: Job<Change, ChangeVerdict>,
    handle: BatchHandler,
    signal: AbortSignal,
  ): Promise<ChangeVerdict | 'held'> {
    const queue = this.queue(key);
    const jobId = idOf(job);
    const earlier = await this.verdicts.take(queue.name, jobId);
    if (earlier !== undefined) return earlier;
    const batch = await takeBatch(queue, job);
    const outcome = await handle([...batch.values()], signal);
    if ('holdMs' in outcome) {
      // A worker that ends leaves no pause to the one that goes on.
      if (!signal.aborted) await queue.rateLimit(outcome.holdMs);
      return 'held';
    }
    const verdicts = pairVerdicts(batch, outcome.verdicts);
    const verdict = verdicts.get(jobId)!; // it was the first of the batch
    verdicts.delete(jobId);
    await this.verdicts.store(queue.name, verdicts);
    return verdict;
  }

  /** Tries until it works, with growing pauses. Rejects as a held job once the worker ends. */
  private async insisting<T>(key: RepositoryKey, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_RETRY_MS)) {
      if (signal.aborted) throw Worker.RateLimitError();
      try {
        return await work();
      } catch (error) {
        const problem = { repository: repositoryKeyText(key), error: (error as Error).message };
        this.logger.warn({ msg: 'the queue is held after an error', ...problem, pauseMs });
        await pause(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private queue(key: RepositoryKey): Queue<Change, ChangeVerdict> {
    const name = queueName(key);
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = openQueue<Change, ChangeVerdict>(name, this.options, this.logger, () => this.queues.delete(name));
      this.queues.set(name, queue);
    }
    return queue;
  }
}

/** The changes of the active job and of those behind it by job id, oldest first, up to the limits. */
async function takeBatch(
  queue: Queue<Change, ChangeVerdict>,
  active: Job<Change, ChangeVerdict>,
): Promise<Map<string, Change>> {
  const batch = new Map([[idOf(active), active.data]]);
  let length = active.data.content?.length ?? 0;
  for (let first = 0; first < LOOK_AHEAD; first += LOOK_AHEAD_PAGE) {
    const page = await queue.getWaiting(first, first + LOOK_AHEAD_PAGE - 1);
    for (const job of page) {
      length += job.data.content?.length ?? 0;
      if (length > LOOK_AHEAD_LENGTH) return batch;
      batch.set(idOf(job), job.data);
    }
    if (page.length < LOOK_AHEAD_PAGE) break;
  }
  return batch;
}

/** Jobs that come from Redis have an id. */
function idOf(job: Job<Change, ChangeVerdict>): string {
  return job.id!;
}

async function close({ abort, worker, connection }: Consumer): Promise<void> {
  abort.abort();
  // Cut before, it would try to hand its job back for ever.
  await closeInTime(worker.close().finally(() => connection.disconnect()));
}

function queueName(key: RepositoryKey): string {
  return `repository.${key.namespace}.${key.name}`;
}
