import type { KubeObject } from '#domain';

/** What a change of the store means for its listeners. */
export type StoreChange<T> =
  { type: 'added'; object: T } | { type: 'updated'; object: T; previous: T } | { type: 'deleted'; object: T };

interface Entry<T> {
  version: string;
  uid: string;
  value: T;
}

/** The objects of one type by namespace and name, and what each piece of news changes. No I/O, no time. */
export class ObjectStore<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly transform: (object: KubeObject) => T;

  constructor(transform: (object: KubeObject) => T) {
    this.transform = transform;
  }

  get size(): number {
    return this.entries.size;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.entries.get(storeKey(namespace, name))?.value;
  }

  *values(): IterableIterator<T> {
    for (const entry of this.entries.values()) yield entry.value;
  }

  /** A complete list: what is not in it is gone. */
  replace(objects: readonly KubeObject[]): StoreChange<T>[] {
    const listed = new Set(objects.map(keyOf));
    const changes: StoreChange<T>[] = [];
    for (const [key, entry] of this.entries) {
      if (listed.has(key)) continue;
      this.entries.delete(key);
      changes.push({ type: 'deleted', object: entry.value });
    }
    return [...changes, ...objects.flatMap((object) => this.put(object))];
  }

  /** A new state of one object. The same version again is no news; a new uid means that the old object is gone. */
  put(object: KubeObject): StoreChange<T>[] {
    const key = keyOf(object);
    const known = this.entries.get(key);
    const version = object.metadata.resourceVersion ?? '';
    const uid = object.metadata.uid ?? '';
    if (known?.version === version && known.uid === uid && version !== '') return [];
    const value = this.transform(object);
    this.entries.set(key, { version, uid, value });
    if (known === undefined) return [{ type: 'added', object: value }];
    if (known.uid !== uid) {
      return [
        { type: 'deleted', object: known.value },
        { type: 'added', object: value },
      ];
    }
    return [{ type: 'updated', object: value, previous: known.value }];
  }

  /** The object is gone; its last state is what listeners get. */
  remove(object: KubeObject): StoreChange<T>[] {
    return this.entries.delete(keyOf(object)) ? [{ type: 'deleted', object: this.transform(object) }] : [];
  }
}

function keyOf(object: KubeObject): string {
  return storeKey(object.metadata.namespace, object.metadata.name ?? '');
}

/** No Kubernetes name holds a slash. */
function storeKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}
