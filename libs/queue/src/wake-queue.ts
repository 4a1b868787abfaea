import { Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Worker } from 'bullmq';
import type { Queue } from 'bullmq';
import { closeInTime } from './close-in-time.ts';
import { openQueue } from './open-queue.ts';
import { WORKER_SETTINGS } from './queue-options.ts';
import type { QueueOptions } from './queue-options.ts';
import { noteCopies } from './worker-connection.ts';
import type { WorkerConnection } from './worker-connection.ts';

/** One job at a time for each id, over all replicas; a wake-up during a job makes one more job after it. */
export abstract class WakeQueue implements OnApplicationShutdown {
  private readonly logger = new Logger(this.constructor.name);
  private queue: Queue<{ id: string }> | undefined;
  private worker: Worker<{ id: string }> | undefined;
  private connection: WorkerConnection | undefined;

  protected constructor(
    private readonly options: QueueOptions,
    private readonly name: string,
    /** Jobs that one replica runs side by side. */
    private readonly concurrency: number,
  ) {}

  /**
   * Asks for a job for each id. Rejects while Redis is away or refuses some of them: the order of jobs means nothing, so
   * the caller asks for all of them again.
   */
  async wake(ids: string[]): Promise<void> {
    const jobs = ids.map((id) => ({
      name: this.name,
      data: { id },
      opts: { deduplication: { id, keepLastIfActive: true }, removeOnComplete: true, removeOnFail: true },
    }));
    const queue = this.open();
    const [only] = jobs;
    if (jobs.length === 1 && only !== undefined) await queue.add(only.name, only.data, only.opts);
    else await queue.addBulk(jobs);
  }

  /** Starts to process. A job that fails is gone: whoever asks for jobs asks again. */
  start(process: (id: string) => Promise<void>): void {
    this.connection = noteCopies(this.options.connectWorker());
    this.worker = new Worker<{ id: string }>(this.name, (job) => process(job.data.id), {
      ...WORKER_SETTINGS,
      connection: this.connection.redis,
      prefix: this.options.prefix,
      concurrency: this.concurrency,
    });
    this.worker.on('error', (error) =>
      this.logger.warn({ msg: 'worker error', queue: this.name, error: error.message }),
    );
    this.worker.on('failed', (_job, error) =>
      this.logger.warn({ msg: 'job failed', queue: this.name, error: error.message }),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await closeInTime(this.worker?.close().finally(() => this.connection?.disconnect()));
    await closeInTime(this.queue?.close());
  }

  private open(): Queue<{ id: string }> {
    this.queue ??= openQueue(this.name, this.options, this.logger, () => (this.queue = undefined));
    return this.queue;
  }
}
