import type { ObjectRef } from './object-ref.ts';

/** The operations that admission reports and that become commits. */
export const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE'] as const;
export type Operation = (typeof OPERATIONS)[number];

/**
 * One persisted change of one object, on its way to one repository: the data of a job in that repository's queue.
 * It holds sanitized content only; a Secret's values were redacted before it was made.
 */
export interface Change {
  /** The admission request's uid; `observed/<object uid>/<resourceVersion>` for a change that no admission call explains. */
  eventId: string;
  /** `admitted`: a user is known. `observed`: no author, rather than a guessed one. */
  origin: 'admitted' | 'observed';
  operation: Operation;
  object: ObjectRef;
  /** Kubernetes user name, hostile input; `''` where observed. */
  user: string;
  /** Other users who asked for the same deletion and can't be told apart from `user`. */
  alsoRequestedBy: string[];
  /** When the request was admitted (or the change observed), in milliseconds since the epoch. */
  admittedAt: number;
  /** The first proven version that holds the change; for DELETE the version that was deleted. */
  resourceVersion: string;
  /** The file's text, UTF-8; `null` removes the file. */
  content: string | null;
  /** Observed changes: the managers that managedFields name for the newest write, where known. */
  managers: string[];
  /** Found by comparing: when the list that shows it was asked for, in ms since the epoch. */
  listedAt?: number;
  /**
   * Git should hold this state already: it is written only where it doesn't, and where nobody wrote the file since.
   * The first state of an object whose creation was not announced.
   */
  presumed?: boolean;
  /** A removal without a known event: only where our own commit touched the file last. */
  prune?: boolean;
}

/** What became of a change in its repository. */
export type ChangeVerdict =
  | { result: 'committed'; eventId: string; sha: string }
  /** Git already holds exactly this content (or already lacks the file). */
  | { result: 'unchanged'; eventId: string }
  /** The event id is already in the branch's history: it was pushed before a crash. */
  | { result: 'duplicate'; eventId: string; sha: string }
  /** A person's newer commit to the path wins. */
  | { result: 'stale'; eventId: string; sha: string }
  /** The remote refuses this change whatever happens; `code` is a GitErrorCode. */
  | { result: 'refused'; eventId: string; code: string; message: string };
