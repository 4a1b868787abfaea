import { Job } from 'bullmq';
import type { Queue } from 'bullmq';
import type { Change, ChangeVerdict } from '#domain';
import { WORKER_SETTINGS } from './queue-options.ts';
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

/**
 * The changes of the active job and of those behind it by job id, oldest first, up to the limits. Its ids are read at once: in
 * pages, one would be skipped where another worker takes the head meanwhile, and a later change of the same object would be
 * written before it. `lost`: the job is not this worker's any more, as after a pause, and what is behind it is not known.
 */
export async function takeBatch(
  queue: ChangeQueue,
  active: RunningJob,
  first: Change,
): Promise<Map<string, Change> | 'lost'> {
  const ids = await queue.getRanges(['waiting'], 0, LOOK_AHEAD - 1, true);
  // Asked after reading: a lock that is ours now was ours all the time.
  if (!(await isOurs(active))) return 'lost';
  const batch = new Map([[idOf(active), first]]);
  let length = first.content?.length ?? 0;
  for (let from = 0; from < ids.length; from += LOOK_AHEAD_PAGE) {
    const page = ids.slice(from, from + LOOK_AHEAD_PAGE);
    const jobs = await Promise.all(page.map((id) => Job.fromId<JobData, ChangeVerdict>(queue, id)));
    for (const job of jobs) {
      if (job === undefined) continue; // somebody removed it
      if (isSlim(job.data)) return batch;
      length += job.data.content?.length ?? 0;
      if (length > LOOK_AHEAD_LENGTH) return batch;
      batch.set(idOf(job), job.data);
    }
  }
  return batch;
}

async function isOurs(job: RunningJob): Promise<boolean> {
  return Boolean(await job.extendLock(job.token ?? '', WORKER_SETTINGS.lockDuration));
}

/** Jobs that come from Redis have an id. */
export function idOf(job: RunningJob): string {
  return job.id!;
}
