import type { Change } from '#domain';

/** Contents up to this length stay: most files are shorter, and to remove them costs more than they do. */
const STAYS_LENGTH = 4_096;

/** A change that was written, as it is kept for people to look at: its content is in Git. */
export type SlimChange = Omit<Change, 'content'> & { contentLength: number };

/** What is left of a change once it was written; nothing where it is small enough to stay as it is. Pure. */
export function slimChange(change: Change): SlimChange | undefined {
  const { content, ...rest } = change;
  if (content === null || content.length <= STAYS_LENGTH) return undefined;
  return { ...rest, contentLength: content.length };
}

/** It can't be written again, as when a person asks BullMQ to run a finished job once more. Pure. */
export function isSlim(data: Change | SlimChange): data is SlimChange {
  return 'contentLength' in data;
}
