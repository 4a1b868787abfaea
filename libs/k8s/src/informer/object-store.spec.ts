import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '#domain';
import { ObjectStore } from './object-store.ts';

function object(name: string, resourceVersion: string, uid = name): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name, uid, resourceVersion } };
}

const versionOf = (of: KubeObject): string => of.metadata.resourceVersion ?? '';

describe('ObjectStore', () => {
  it('takes the same version again as no news', () => {
    const store = new ObjectStore(versionOf);
    store.put(object('a', '1'));

    expect(store.put(object('a', '1'))).toEqual([]);
    expect(store.put(object('a', '2'))).toEqual([{ type: 'updated', object: '2', previous: '1' }]);
  });

  it('tells a recreated object as gone and new', () => {
    const store = new ObjectStore(versionOf);
    store.put(object('a', '1', 'old'));

    expect(store.put(object('a', '5', 'new')).map((change) => change.type)).toEqual(['deleted', 'added']);
  });

  it('tells what a complete list lacks as deleted', () => {
    const store = new ObjectStore(versionOf);
    store.replace([object('a', '1'), object('b', '1')]);

    expect(store.replace([object('b', '2')]).map((change) => change.type)).toEqual(['deleted', 'updated']);
    expect(store.get('shop', 'a')).toBeUndefined();
    expect(store.size).toBe(1);
  });

  it('gives the last state of what is removed, and nothing for what it does not know', () => {
    const store = new ObjectStore(versionOf);
    store.put(object('a', '1'));

    expect(store.remove(object('a', '2'))).toEqual([{ type: 'deleted', object: '2' }]);
    expect(store.remove(object('a', '2'))).toEqual([]);
  });
});
