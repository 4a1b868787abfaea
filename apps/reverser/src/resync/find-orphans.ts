import { createHash } from 'node:crypto';
import type { Change, ObjectRef, ResourceType } from '#domain';

/** A file of ours whose object is not among the listed ones. */
export interface Orphan {
  path: string;
  ref: ObjectRef;
}

type PathOf = (ref: ObjectRef, folder: string) => string;

/**
 * Files under the repository's folder that have the form of ours, belong to a completely listed kind, and whose object was
 * not listed. A name that can't be read back from its path (one that was cut) is left alone.
 */
export function findOrphans(
  files: Iterable<string>,
  listed: ReadonlySet<string>,
  types: ResourceType[],
  folder: string,
  pathOf: PathOf,
): Orphan[] {
  const prefix = folder === '' ? '' : `${folder}/`;
  const orphans: Orphan[] = [];
  for (const path of files) {
    if (listed.has(path) || !path.startsWith(prefix)) continue;
    const ref = readPath(path.slice(prefix.length), types);
    if (ref !== undefined && pathOf(ref, folder) === path) orphans.push({ path, ref });
  }
  return orphans;
}

/** The removal of an orphan's file, as of a list at `version`. It is taken back by the writer where a person wrote the file last. */
export function prunedChange({ path, ref }: Orphan, version: string, now: number): Change {
  const id = createHash('sha1').update(path).digest('hex');
  return {
    eventId: `observed/${id}/${version}`,
    origin: 'observed',
    operation: 'DELETE',
    object: ref,
    user: '',
    alsoRequestedBy: [],
    admittedAt: now,
    resourceVersion: version,
    content: null,
    managers: [],
    prune: true,
  };
}

function readPath(path: string, types: ResourceType[]): ObjectRef | undefined {
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
  types: ResourceType[],
  namespaced: boolean,
  folder: string | undefined,
  name: string | undefined,
  namespace: string | undefined,
): ObjectRef | undefined {
  const type = types.find(
    (each) => each.namespaced === namespaced && [each.kind, `${each.kind}.${each.group}`].includes(folder ?? ''),
  );
  if (type === undefined || name === undefined || (namespaced && namespace === undefined)) return undefined;
  const { group, version, kind, resource } = type;
  return { group, version, kind, resource, ...(namespace !== undefined && { namespace }), name, uid: '' };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
