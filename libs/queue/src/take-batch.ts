import type { Job, Queue } from 'bullmq';
import type { Change, ChangeVerdict } from '#domain';

export type ChangeQueue = Queue<Change, ChangeVerdict>;
export type RunningJob = Job<Change, ChangeVerdict>;

/** How many waiting jobs the active one takes along in a push. */
const LOOK_AHEAD = 500;
/** How many of them are read at once: a page of the largest objects still fits into memory. */
const LOOK_AHEAD_PAGE = 25;
/** Characters of content that one push takes along at most; a larger job goes alone. */
const LOOK_AHEAD_LENGTH = 32 * 1024 * 1024;

/** The changes of the active job and of those behind it by job id, oldest first, up to the limits. */
export async function takeBatch(queue: ChangeQueue, active: RunningJob): Promise<Map<string, Change>> {
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
export function idOf(job: RunningJob): string {
  return job.id!;
}
