import type { JobsOptions } from 'bullmq';
import type { Change } from '#domain';

/**
 * Finished jobs are kept for people who look into the queue: an hour, failed ones a week. BullMQ looks at the age only when another
 * job finishes, so that their number is the bound.
 */
const KEEP: JobsOptions = {
  attempts: 1,
  removeOnComplete: { age: 3_600, count: 200 },
  removeOnFail: { age: 7 * 24 * 3_600, count: 200 },
};

export interface ChangeJob {
  name: string;
  data: Change;
  opts: JobsOptions & { jobId: string };
}

/**
 * A change as a job: the same change always gets the same id, so that it is queued once. What a resync finds gets the id
 * of its run: the same state may have to be written again.
 */
export function changeJob(change: Change, run?: string): ChangeJob {
  return {
    name: change.operation,
    data: change,
    opts: { ...KEEP, jobId: run === undefined ? change.eventId : `${change.eventId}/${run}` },
  };
}
