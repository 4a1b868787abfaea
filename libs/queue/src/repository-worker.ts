import { Logger } from '@nestjs/common';
import { UnrecoverableError, Worker } from 'bullmq';
import { repositoryKeyText } from '#domain';
import type { Change, ChangeVerdict, RepositoryKey } from '#domain';
import type { BatchVerdicts } from './batch-verdicts.ts';
import { closeInTime } from './close-in-time.ts';
import { insist } from './insist.ts';
import { pairVerdicts } from './pair-verdicts.ts';
import { WORKER_SETTINGS } from './queue-options.ts';
import type { QueueOptions } from './queue-options.ts';
import type { QueueOwners } from './queue-owners.ts';
import { isSlim, slimChange } from './slim-change.ts';
import { idOf, takeBatch } from './take-batch.ts';
import type { ChangeQueue, JobData, RunningJob } from './take-batch.ts';
import { noteCopies } from './worker-connection.ts';
import type { WorkerConnection } from './worker-connection.ts';

/**
 * What the handler of a batch answers: a verdict for each change in their order; or how long to hold the queue, for all replicas,
 * before the same batch again; or that this replica can't write, so that its worker ends and another one may take the batch.
 */
export type BatchOutcome = { verdicts: ChangeVerdict[] } | { holdMs: number } | { handBack: true };
export type BatchHandler = (changes: Change[], signal: AbortSignal) => Promise<BatchOutcome>;

interface WorkerParts {
  key: RepositoryKey;
  /** Of the GitRepoConfig whose changes it writes. */
  uid: string;
  name: string;
  options: QueueOptions;
  verdicts: BatchVerdicts;
  owners: QueueOwners;
  handle: BatchHandler;
  /** A queue that could not be opened is opened anew. */
  queue: () => ChangeQueue;
  /** It ends by itself: a batch was handed back. */
  onHandBack: (worker: RepositoryWorker) => void;
}

const WITHOUT_CONTENT =
  'Its content was removed after it had been written: change the object again, or ask for a comparison.';

/** This replica's worker of one repository: takes batches off the queue while it runs. */
export class RepositoryWorker {
  private readonly logger = new Logger(RepositoryWorker.name);
  private readonly abort = new AbortController();
  private readonly connection: WorkerConnection;
  private readonly worker: Worker<JobData, ChangeVerdict>;

  /** Starts at once, or when Redis is there. */
  constructor(private readonly parts: WorkerParts) {
    const { name, options } = parts;
    this.connection = noteCopies(options.connectWorker());
    this.worker = new Worker<JobData, ChangeVerdict>(name, (job) => this.process(job), {
      ...WORKER_SETTINGS,
      connection: this.connection.redis,
      prefix: options.prefix,
      concurrency: 1,
      autorun: false,
    });
    const log = { repository: repositoryKeyText(parts.key) };
    this.worker.on('error', (error) =>
      this.logger.warn({ msg: 'repository worker error', ...log, error: error.message }),
    );
    this.worker.on('completed', (job) => void slim(job));
    // Set again after each reconnect: it is a key in Redis, which may have been emptied.
    this.connection.redis.on('ready', () => void this.limit());
    void this.limit()
      .then(() => (this.abort.signal.aborted ? undefined : this.worker.run()))
      .catch((error: Error) => this.logger.error({ msg: 'repository worker ended', ...log, error: error.message }));
  }

  get uid(): string {
    return this.parts.uid;
  }

  /** Ends it; a push under way is stopped, its batch stays queued. */
  async close(): Promise<void> {
    this.abort.abort();
    // Cut before, it would try to hand its job back for ever.
    await closeInTime(this.worker.close().finally(() => this.connection.disconnect()));
  }

  /** One job at a time over all replicas; tried until Redis takes it. */
  private async limit(): Promise<void> {
    await this.insisting(() => this.parts.queue().setGlobalConcurrency(1)).catch(() => undefined); // it ended
  }

  private async process(job: RunningJob): Promise<ChangeVerdict> {
    const { data } = job;
    if (isSlim(data)) throw new UnrecoverableError(WITHOUT_CONTENT);
    // Only a verdict ends a job: any other failure would count as the job's own and take it out of the queue.
    const decided = await this.insisting(() => this.decide(job, data)).catch(() => 'held' as const); // it ends
    if (decided === 'held') throw Worker.RateLimitError();
    if (decided.result === 'refused') throw new UnrecoverableError(`${decided.code}: ${decided.message}`);
    return decided;
  }

  /** The verdict on a job; `held`: it goes back to the head of the queue untouched. */
  private async decide(job: RunningJob, change: Change): Promise<ChangeVerdict | 'held'> {
    const { verdicts, handle } = this.parts;
    const { signal } = this.abort;
    const queue = this.parts.queue();
    const jobId = idOf(job);
    const earlier = await verdicts.take(queue.name, jobId);
    if (earlier !== undefined) return earlier;
    const batch = await takeBatch(queue, job, change);
    if (batch === 'lost') return 'held'; // by now it is another worker's
    if (!(await this.isOwner())) return this.handBack();
    const outcome = await handle([...batch.values()], signal);
    if ('handBack' in outcome) return this.handBack();
    if ('holdMs' in outcome) {
      // A worker that ends leaves no pause to the one that goes on.
      if (!signal.aborted) await queue.rateLimit(outcome.holdMs);
      return 'held';
    }
    const paired = pairVerdicts(batch, outcome.verdicts);
    const verdict = paired.get(jobId)!; // it was the first of the batch
    paired.delete(jobId);
    await verdicts.store(queue.name, paired);
    return verdict;
  }

  /**
   * Whether the queue is still our GitRepoConfig's, now that the batch was read: the news that it was deleted, and made anew for
   * another repository, may reach this replica late.
   */
  private async isOwner(): Promise<boolean> {
    const { key, uid, owners } = this.parts;
    const owner = await owners.of(key);
    if (owner === undefined || owner === uid) return true;
    this.logger.warn({
      msg: 'the GitRepoConfig was deleted, its worker ends',
      repository: repositoryKeyText(key),
      uid,
    });
    return false;
  }

  private handBack(): 'held' {
    // Closing first: the job must not come back here.
    this.parts.onHandBack(this);
    void this.close();
    return 'held';
  }

  private insisting<T>(work: () => Promise<T>): Promise<T> {
    const repository = repositoryKeyText(this.parts.key);
    return insist(work, this.abort.signal, ({ message }, pauseMs) =>
      this.logger.warn({ msg: 'the queue is held after an error', repository, error: message, pauseMs }),
    );
  }
}

/** Git has the content now; what people look at is who changed what, and the verdict. Not worth an error: its age removes it, too. */
async function slim(job: RunningJob): Promise<void> {
  const left = isSlim(job.data) ? undefined : slimChange(job.data);
  if (left !== undefined) await job.updateData(left).catch(() => undefined);
}
