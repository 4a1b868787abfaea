import { createHash } from 'node:crypto';
import type { Change, ObjectRef } from '#domain';
import type { ListedType } from './snapshot.service.ts';

/** A file of ours whose object is not among the listed ones. */
export interface Orphan {
  path: string;
  ref: ObjectRef;
  /** Of the list that does not hold it. */
  listVersion: string;
}

type PathOf = (ref: ObjectRef, folder: string) => string;

/**
 * Files under the repository's folder that have the form of ours, belong to a completely listed kind, and whose object was
 * not listed. A name that can't be read back from its path (one that was cut) is left alone.
 */
export function findOrphans(
  files: Iterable<string>,
  listed: ReadonlySet<string>,
  types: ListedType[],
  folder: string,
  pathOf: PathOf,
): Orphan[] {
  const prefix = folder === '' ? '' : `${folder}/`;
  const orphans: Orphan[] = [];
  for (const path of files) {
    if (listed.has(path) || !path.startsWith(prefix)) continue;
    const found = readPath(path.slice(prefix.length), types);
    if (found !== undefined && pathOf(found.ref, folder) === path) orphans.push({ path, ...found });
  }
  return orphans;
}

/** The removal of an orphan's file, as of the list of its kind. It is taken back by the writer where a person wrote the file last. */
export function prunedChange({ path, ref, listVersion }: Orphan, now: number): Change {
  const id = createHash('sha1').update(path).digest('hex');
  return {
    eventId: `observed/${id}/${listVersion}`,
    origin: 'observed',
    operation: 'DELETE',
    object: ref,
    user: '',
    alsoRequestedBy: [],
    admittedAt: now,
    resourceVersion: listVersion,
    content: null,
    managers: [],
    prune: true,
  };
}

type Found = Pick<Orphan, 'ref' | 'listVersion'>;

function readPath(path: string, types: ListedType[]): Found | undefined {
  const parts = path.split('/');
  const file = parts.at(-1);
  if (!file?.endsWith('.yaml')) return undefined;
  const name = decode(file.slice(0, -'.yaml'.length));
  if (parts[0] === 'namespaces' && parts.length === 4)
    return refOf(types, true, parts[2], name, decode(parts[1] ?? ''));
  if (parts[0] === 'cluster-scoped' && parts.length === 3) return refOf(types, false, parts[1], name, undefined);
  return undefined;
}

function refOf(
  types: ListedType[],
  namespaced: boolean,
  folder: string | undefined,
  name: string | undefined,
  namespace: string | undefined,
): Found | undefined {
  const type = types.find(
    (each) => each.namespaced === namespaced && [each.kind, `${each.kind}.${each.group}`].includes(folder ?? ''),
  );
  if (type === undefined || name === undefined || (namespaced && namespace === undefined)) return undefined;
  const { group, version, kind, resource, listVersion } = type;
  const ref = { group, version, kind, resource, ...(namespace !== undefined && { namespace }), name, uid: '' };
  return { ref, listVersion };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
