export { QueueModule } from './queue.module.ts';
export { QUEUE_OPTIONS } from './queue-options.ts';
export type { QueueOptions } from './queue-options.ts';
export { RepositoryLock } from './repository-lock.ts';
export { RepositoryQueues } from './repository-queues.ts';
export type { BatchHandler, BatchOutcome } from './repository-worker.ts';
export { ResyncQueue } from './resync-queue.ts';
export { SettleQueue } from './settle-queue.ts';
