import type { Change, ChangeVerdict } from '#domain';

/**
 * The verdict on each job of a batch. Pure.
 * @param batch job id → change
 * @param verdicts one for each change, in the order of the batch
 * @throws Error where they are not
 */
export function pairVerdicts(batch: Map<string, Change>, verdicts: ChangeVerdict[]): Map<string, ChangeVerdict> {
  const jobs = [...batch];
  const paired = new Map<string, ChangeVerdict>();
  for (const [index, verdict] of verdicts.entries()) {
    const [jobId, change] = jobs[index] ?? [];
    if (jobId === undefined || change?.eventId !== verdict.eventId) break;
    paired.set(jobId, verdict);
  }
  if (paired.size !== jobs.length || verdicts.length !== jobs.length)
    throw new Error(`A batch of ${jobs.length} changes got ${verdicts.length} verdicts, or not in its order.`);
  return paired;
}
