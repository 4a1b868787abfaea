import type { KubeObject } from '#domain';
import { errorFromWatchStatus } from '../api/classify-kube-error.ts';
import { parseExactJson } from '../api/exact-json.ts';

/** DELETED carries the last state, BOOKMARK a version alone. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: KubeObject;
}

/** One line of a watch. @throws KubeError where it is the API server's word that the watch is over */
export function parseWatchEvent(line: string, path: string): WatchEvent {
  const event = parseExactJson(line) as WatchEvent | { type: 'ERROR'; object: unknown };
  if (event.type === 'ERROR') throw errorFromWatchStatus({ method: 'WATCH', path }, event.object);
  return event;
}
