import type { KubeObject, Operation } from '#domain';
import type { ObservedVersion } from './observer.ts';
import { usersOf, type Authors } from './find-authors.ts';
import { AUDIT_LABEL, EXCLUDED_USER } from './workload.ts';
import type { WriteRecord } from './write-client.ts';

/** A change that the API server persisted and what Git must, may or must not make of it. */
export interface ExpectedChange {
  path: string;
  uid: string;
  operation: Operation;
  version: string;
  /** `null`: the file goes. */
  content: string | null;
  /** Who may be its author; empty: nobody knows. */
  authors: string[];
  /** The webhook did not hear of it: the API server says so of the only request that may have made it. */
  failedOpen: boolean;
  /**
   * `required`: one commit. `optional`: one commit or none, where it can't be told which of two users wrote it, or whether
   * Git holds the content already. `excluded`: none, or an observed one from a comparison of cluster and repository.
   * `unheard`: none, as no rule selects the object any more; an observed one where the call that said so failed open.
   */
  demand: 'required' | 'optional' | 'excluded' | 'unheard';
}

export interface HistoryReader {
  pathOf: (version: ObservedVersion) => string;
  /** The file's text of a state. */
  contentOf: (object: KubeObject) => string;
  failedOpen: (request: WriteRecord) => boolean;
}

/** What Git must hold of the watched versions of all objects, by path, each in version order. Pure but for the reader. */
export function expectHistory(
  versions: readonly ObservedVersion[],
  authors: Authors,
  reader: HistoryReader,
): Map<string, ExpectedChange[]> {
  const byPath = new Map<string, ObservedVersion[]>();
  for (const version of versions) {
    const path = reader.pathOf(version);
    byPath.set(path, [...(byPath.get(path) ?? []), version]);
  }
  const expected = new Map<string, ExpectedChange[]>();
  for (const [path, events] of byPath) expected.set(path, expectPath(path, events, authors, reader));
  return expected;
}

function expectPath(
  path: string,
  events: ObservedVersion[],
  authors: Authors,
  reader: HistoryReader,
): ExpectedChange[] {
  const changes: ExpectedChange[] = [];
  let before: { object: KubeObject; content: string } | undefined;
  let file: string | undefined;
  for (const event of inVersionOrder(events)) {
    const { object, version, type } = event;
    const uid = object.metadata.uid ?? '';
    const wasDying = before?.object.metadata.deletionTimestamp !== undefined;
    const ends = type === 'DELETED' || object.metadata.deletionTimestamp !== undefined;
    if (ends) {
      const last = before?.object ?? object;
      if (!wasDying) {
        const requests = authors.ofDeletion(event);
        const who = usersOf(requests);
        const failedOpen = requests.some(reader.failedOpen);
        // A file that was never written may be there all the same: a comparison brings excluded users' states.
        const heard = file === undefined && demandOf(who) === 'required' ? 'optional' : demandOf(who);
        const demand = isSelected(last) ? heard : 'unheard';
        changes.push({ path, uid, operation: 'DELETE', version, content: null, authors: who, failedOpen, demand });
        if (demand === 'required' || demand === 'optional') file = undefined;
      }
      before = type === 'DELETED' ? undefined : { object, content: before?.content ?? '' };
      continue;
    }
    const content = reader.contentOf(object);
    const changed = content !== before?.content;
    if (changed && isSelected(object)) {
      const requests = authors.ofWrite(event, before?.object);
      const who = usersOf(requests);
      const failedOpen = requests.some(reader.failedOpen);
      const demand = demandOf(who);
      const operation = type === 'ADDED' ? 'CREATE' : 'UPDATE';
      const known = demand === 'required' && content === file ? 'optional' : demand;
      changes.push({ path, uid, operation, version, content, authors: who, failedOpen, demand: known });
      if (demand !== 'excluded') file = content;
    }
    before = { object, content };
  }
  return changes;
}

function demandOf(authors: string[]): ExpectedChange['demand'] {
  if (!authors.includes(EXCLUDED_USER)) return 'required';
  return authors.length === 1 ? 'excluded' : 'optional';
}

function isSelected(object: KubeObject): boolean {
  return object.metadata.labels?.[AUDIT_LABEL] !== 'off';
}

function inVersionOrder(events: ObservedVersion[]): ObservedVersion[] {
  return [...events].sort((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1));
}
