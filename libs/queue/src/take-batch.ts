import type { Job, Queue } from 'bullmq';
import type { Change, ChangeVerdict } from '#domain';
import { isSlim } from './slim-change.ts';
import type { SlimChange } from './slim-change.ts';

export type JobData = Change | SlimChange;
export type ChangeQueue = Queue<JobData, ChangeVerdict>;
export type RunningJob = Job<JobData, ChangeVerdict>;

/** How many waiting jobs the active one takes along in a push. */
const LOOK_AHEAD = 500;
/** How many of them are read at once: a page of the largest objects still fits into memory. */
const LOOK_AHEAD_PAGE = 25;
/** Characters of content that one push takes along at most; a larger job goes alone. */
const LOOK_AHEAD_LENGTH = 32 * 1024 * 1024;

/** The changes of the active job and of those behind it by job id, oldest first, up to the limits. */
export async function takeBatch(queue: ChangeQueue, active: RunningJob, first: Change): Promise<Map<string, Change>> {
  const batch = new Map([[idOf(active), first]]);
  let length = first.content?.length ?? 0;
  for (let from = 0; from < LOOK_AHEAD; from += LOOK_AHEAD_PAGE) {
    const page = await queue.getWaiting(from, from + LOOK_AHEAD_PAGE - 1);
    for (const job of page) {
      if (isSlim(job.data)) return batch;
      length += job.data.content?.length ?? 0;
      if (length > LOOK_AHEAD_LENGTH) return batch;
      batch.set(idOf(job), job.data);
    }
    if (page.length < LOOK_AHEAD_PAGE) break;
  }
  return batch;
}

/** Jobs that come from Redis have an id. */
export function idOf(job: RunningJob): string {
  return job.id!;
}
