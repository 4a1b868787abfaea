import { createHash } from 'node:crypto';
import type { KubeObject } from '#domain';

/** What the backstop remembers of an object: enough to tell a change that matters from a status write. */
export interface ObjectMark {
  namespace: string | undefined;
  name: string;
  uid: string;
  version: string;
  /** In ms since the epoch; 0 where it is unknown. */
  createdAt: number;
  /** Absent for kinds without one: each of their writes matters. */
  generation: number | undefined;
  /** Digest of labels, annotations, finalizers (which bump no generation), and whether it is being deleted. */
  metadata: string;
}

export function markOf({ metadata }: KubeObject): ObjectMark {
  const { labels = {}, annotations = {}, finalizers = [], deletionTimestamp } = metadata;
  const text = JSON.stringify([
    Object.entries(labels).sort(),
    Object.entries(annotations).sort(),
    finalizers,
    deletionTimestamp,
  ]);
  return {
    namespace: metadata.namespace,
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    version: metadata.resourceVersion ?? '0',
    createdAt: Date.parse(metadata.creationTimestamp ?? '') || 0,
    generation: metadata.generation,
    metadata: createHash('sha1').update(text).digest('base64url'),
  };
}

/** Whether the step from one mark to the next can have changed what a person wrote: a write of status alone can't. */
export function isNews(previous: ObjectMark, next: ObjectMark): boolean {
  if (previous.uid !== next.uid) return true;
  if (next.generation === undefined || previous.generation !== next.generation) return true;
  return previous.metadata !== next.metadata;
}
