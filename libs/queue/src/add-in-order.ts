import { Job } from 'bullmq';
import type { ChangeVerdict } from '#domain';
import type { ChangeJob } from './change-job.ts';
import type { ChangeQueue, JobData } from './take-batch.ts';

/** Characters of content in one transaction: Redis holds all of it twice for a moment, and serves nobody else meanwhile. */
const TRANSACTION_LENGTH = 4 * 1024 * 1024;

/**
 * Adds jobs in their order, or stops: what Redis refuses is never overtaken by what comes behind it. A pipeline, which BullMQ's
 * own addBulk is, goes on after a command that was refused for want of memory; of a transaction all is refused, or nothing.
 * Rejects with what is missing being an end of the list, so that the same call can be made again.
 * @param owner where it stands in Redis whose the queue is
 * @returns what stands there, as of the last transaction
 */
export async function addInOrder(
  queue: ChangeQueue,
  jobs: ChangeJob[],
  owner: { hash: string; field: string },
): Promise<string | null> {
  let found: string | null = null;
  for (const part of transactions(jobs)) {
    try {
      found = await addTogether(queue, part, owner);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      await addFirst(queue, part);
      found = await addTogether(queue, part, owner);
    }
  }
  return found;
}

async function addTogether(
  queue: ChangeQueue,
  jobs: ChangeJob[],
  { hash, field }: { hash: string; field: string },
): Promise<string | null> {
  const backend = queue.getBackend();
  const transaction = (await backend.client).multi();
  for (const { name, data, opts } of jobs) {
    const job = new Job<JobData, ChangeVerdict>(queue, name, data, opts, opts.jobId);
    // It only takes note of the command; what became of it is among the answers to EXEC.
    void backend.addJobToTransaction(transaction, job.asJSON(), opts.jobId);
  }
  transaction.runCommand('hget', [hash, field]);
  const answers = (await transaction.exec()) ?? [];
  for (const [error] of answers) if (error !== null) throw error;
  return (answers.at(-1)?.[1] ?? null) as string | null;
}

/** Outside of a transaction ioredis brings the script to a Redis that does not know it; inside, it only learns of it too late. */
async function addFirst(queue: ChangeQueue, [first]: ChangeJob[]): Promise<void> {
  if (first !== undefined) await queue.add(first.name, first.data, first.opts);
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** The jobs in parts that are small enough for Redis; a larger job goes alone. */
function* transactions(jobs: ChangeJob[]): Generator<ChangeJob[]> {
  let part: ChangeJob[] = [];
  let length = 0;
  for (const job of jobs) {
    const own = job.data.content?.length ?? 0;
    if (part.length > 0 && length + own > TRANSACTION_LENGTH) {
      yield part;
      [part, length] = [[], 0];
    }
    part.push(job);
    length += own;
  }
  if (part.length > 0) yield part;
}
