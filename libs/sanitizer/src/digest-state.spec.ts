import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { KubeObject, ObjectMeta } from '#domain';
import { digestState, fingerprintOf } from './digest-state.ts';

const key = new Uint8Array(32).fill(1);
const object = (metadata: ObjectMeta, rest: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', ...metadata },
  ...rest,
});
const base: ObjectMeta = {
  generation: 1,
  labels: { a: '1', b: '2' },
  managedFields: [{ manager: 'kubectl', time: 't' }],
};
const fingerprint = (metadata: ObjectMeta): string => fingerprintOf(object(metadata), key);

describe('digestState', () => {
  it('gives the keyed digest of the text and the fingerprint', () => {
    const content = createHmac('sha256', key).update('text').digest('hex');
    expect(digestState(object(base), 'text', key)).toEqual({ content, fingerprint: fingerprint(base) });
  });
});

describe('fingerprintOf', () => {
  it.each<[string, ObjectMeta]>([
    ['the generation', { ...base, generation: 2 }],
    ['a label', { ...base, labels: { a: '1' } }],
    ['an annotation', { ...base, annotations: { a: '1' } }],
    ['a field manager', { ...base, managedFields: [{ manager: 'kubectl', time: 'u' }] }],
  ])('changes with %s', (_, changed) => {
    expect(fingerprint(changed)).not.toBe(fingerprint(base));
  });

  it.each<[string, ObjectMeta]>([
    ['the order of labels', { ...base, labels: { b: '2', a: '1' } }],
    ['the version and uid', { ...base, resourceVersion: '9', uid: 'u' }],
    ['empty annotations', { ...base, annotations: {} }],
    [
      'a write through a subresource',
      {
        ...base,
        managedFields: [
          { manager: 'kubectl', time: 't' },
          { manager: 'm', subresource: 'status' },
        ],
      },
    ],
  ])('stays with %s', (_, changed) => {
    expect(fingerprint(changed)).toBe(fingerprint(base));
  });

  it('needs the key', () => {
    expect(fingerprintOf(object(base), new Uint8Array(32))).not.toBe(fingerprint(base));
  });
});
