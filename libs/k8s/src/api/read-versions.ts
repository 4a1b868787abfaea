import type { ObjectRef } from '#domain';
import { readLines } from '../informer/read-lines.ts';
import { parseWatchEvent } from '../informer/watch-event.ts';
import type { WatchEvent } from '../informer/watch-event.ts';
import type { KubeApi } from './kube-api.ts';
import { KubeError, isKubeError } from './kube-error.ts';
import { collectionPath } from './object-path.ts';

/** A watch tells at once what is stored already. */
const TIMEOUT_SECONDS = 5;
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * What became of one object name since a version of it, oldest first, up to and including the first version for which `isLast`:
 * the API server's own history, which it keeps for minutes (its watch cache, else etcd's until compaction).
 * @returns undefined where it does not have it any more, or tells more than 32 MiB
 * @throws KubeError, also where the stream ends before that version (`Unreachable`) or it does not come within five seconds (`Timeout`)
 */
export async function readVersions(
  api: KubeApi,
  ref: ObjectRef,
  { since, isLast }: { since: string; isLast: (version: WatchEvent) => boolean },
): Promise<WatchEvent[] | undefined> {
  const path = collectionPath(ref, ref.namespace);
  const query = {
    watch: true,
    resourceVersion: since,
    fieldSelector: `metadata.name=${escapeField(ref.name)}`,
    timeoutSeconds: 2 * TIMEOUT_SECONDS, // we end it ourselves
  };
  const limit = AbortSignal.timeout(TIMEOUT_SECONDS * 1000);
  const stop = new AbortController();
  const signal = AbortSignal.any([limit, stop.signal]);
  const versions: WatchEvent[] = [];
  let bytes = 0;
  try {
    for await (const line of readLines(await api.stream({ path, query, accept: 'application/json', signal }))) {
      bytes += line.length;
      if (bytes > MAX_BYTES) return undefined;
      const event = parseWatchEvent(line, path);
      if (event.type === 'BOOKMARK') continue;
      versions.push(event);
      if (isLast(event)) return versions;
    }
  } catch (error) {
    if (isKubeError(error, 'Gone')) return undefined;
    if (isKubeError(error) && !limit.aborted) throw error;
    throw cutOff(path, limit, error);
  } finally {
    stop.abort();
  }
  throw cutOff(path, limit);
}

/** An API server that shuts down ends its watches without a word. */
function cutOff(path: string, limit: AbortSignal, cause?: unknown): KubeError {
  return limit.aborted
    ? new KubeError('Timeout', `WATCH ${path}: the version did not come within ${TIMEOUT_SECONDS} s`, {
        retryable: true,
        cause,
      })
    : new KubeError('Unreachable', `WATCH ${path}: the stream ended too soon`, { retryable: true, cause });
}

/** Some kinds take any name but a path's: what separates field selectors is escaped as the API server reads it. */
function escapeField(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&');
}
