import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUE_OPTIONS, WORKER_SETTINGS } from './queue-options.ts';
import type { QueueOptions } from './queue-options.ts';

const NAME = 'settle';
/** Names that one replica looks at side by side: most of the time of each is waiting for the API server. */
const CONCURRENCY = 32;

/** One job at a time for each object name, over all replicas; a wake-up during a job makes one more job after it. */
@Injectable()
export class SettleQueue implements OnApplicationShutdown {
  private readonly logger = new Logger(SettleQueue.name);
  private queue: Queue<{ id: string }> | undefined;
  private worker: Worker<{ id: string }> | undefined;
  private connection: Redis | undefined;

  constructor(@Inject(QUEUE_OPTIONS) private readonly options: QueueOptions) {}

  /** Asks for a look at an object name. Rejects while Redis is away. */
  async wake(ids: string[]): Promise<void> {
    const jobs = ids.map((id) => ({
      name: NAME,
      data: { id },
      opts: { deduplication: { id, keepLastIfActive: true }, removeOnComplete: true, removeOnFail: true },
    }));
    const queue = this.open();
    const [only] = jobs;
    if (jobs.length === 1 && only !== undefined) await queue.add(only.name, only.data, only.opts);
    else await queue.addBulk(jobs);
  }

  /** Starts to process with `settle`, which handles its own errors: a failed job is gone, the ledger makes a new one. */
  start(settle: (id: string) => Promise<void>): void {
    this.connection = this.options.connectWorker();
    this.worker = new Worker<{ id: string }>(NAME, (job) => settle(job.data.id), {
      ...WORKER_SETTINGS,
      connection: this.connection,
      prefix: this.options.prefix,
      concurrency: CONCURRENCY,
    });
    this.worker.on('error', (error) => this.logger.warn({ msg: 'settle worker error', error: error.message }));
    this.worker.on('failed', (_job, error) => this.logger.warn({ msg: 'settle job failed', error: error.message }));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.worker?.close();
    await this.queue?.close();
    this.connection?.disconnect();
  }

  private open(): Queue<{ id: string }> {
    if (this.queue === undefined) {
      this.queue = new Queue(NAME, {
        connection: this.options.producer,
        prefix: this.options.prefix,
        skipWaitingForReady: true,
      });
      this.queue.on('error', (error) => this.logger.warn({ msg: 'settle queue error', error: error.message }));
    }
    return this.queue;
  }
}
