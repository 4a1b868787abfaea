import type { RepositoryFiles } from '#git';

/** Annotation on a GitRepoConfig that asks for a resync: any new value, a time by custom, as with Flux. */
export const RESYNC_ANNOTATION = 'configbutler.ai/resync-requested-at';
/** Annotation that allows one removal of as many files as its value says; a value that was acted on allows nothing any more. */
export const CONFIRM_ANNOTATION = 'configbutler.ai/confirm-removal-of';

/** What one comparison of cluster and repository found. */
export interface ResyncSummary {
  /** Selected objects in the cluster. */
  objects: number;
  /** Paths whose file is missing or differs; their changes are queued. */
  differing: string[];
  /** Files that are removed. */
  removed: number;
  /** Files of ours without a selected object, removed or not. */
  orphaned: number;
  /** Removals wait for a person's word. */
  heldBack: boolean;
  /** Kinds that could not be listed, with why. */
  failed: string[];
}

/** A repository that can be compared with the cluster, and is told what was found. */
export interface OpenedRepository {
  /** spec.path. */
  folder: string;
  prune: boolean;
  /** How many files a person has allowed to remove at once, as of `listFiles`. */
  confirmedRemoval: number | undefined;
  listFiles(): Promise<RepositoryFiles>;
  /** More files would go than may go without a person's word. */
  massRemoval(count: number): void;
  resynced(summary: ResyncSummary): void;
}
