import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '#domain';
import { applyReplicas, REPLICAS_PATH, replicasPathOf } from './apply-replicas.ts';

const object = (fields: object): KubeObject => ({ apiVersion: 'a/v1', kind: 'K', metadata: { name: 'n' }, ...fields });
const definition = (versions: unknown): KubeObject => object({ spec: { versions } });

describe('replicasPathOf', () => {
  it.each([
    ['.spec.workers', ['spec', 'workers']],
    ['.spec.pool.size', ['spec', 'pool', 'size']],
    ['spec.replicas', ['spec', 'replicas']],
    ['', REPLICAS_PATH],
    [7, REPLICAS_PATH],
    [undefined, REPLICAS_PATH],
  ])('given %j returns %j', (specReplicasPath, expected) => {
    const versions = [
      { name: 'v1', subresources: { scale: { specReplicasPath: '.spec.other' } } },
      { name: 'v2', subresources: { scale: { specReplicasPath } } },
    ];
    expect(replicasPathOf(definition(versions), 'v2')).toEqual(expected);
  });

  it('returns the usual place for a version that the definition does not have, or has not to scale', () => {
    expect(replicasPathOf(definition([{ name: 'v1' }]), 'v1')).toEqual(REPLICAS_PATH);
    expect(replicasPathOf(definition([]), 'v1')).toEqual(REPLICAS_PATH);
    expect(replicasPathOf(object({}), 'v1')).toEqual(REPLICAS_PATH);
  });
});

describe('applyReplicas', () => {
  it('changes that field alone, and nothing of the given object', () => {
    const before = object({ spec: { replicas: 1, paused: true }, status: { replicas: 1 } });
    const copy = structuredClone(before);
    expect(applyReplicas(before, REPLICAS_PATH, 5, 'kubectl')).toEqual(
      object({ spec: { replicas: 5, paused: true }, status: { replicas: 1 } }),
    );
    expect(before).toEqual(copy);
  });

  it('makes the fields that are not there', () => {
    expect(applyReplicas(object({}), ['spec', 'pool', 'size'], 2, 'kubectl')).toEqual(
      object({ spec: { pool: { size: 2 } } }),
    );
  });

  it('hands the number over to its new owner, wherever the object keeps it', () => {
    const scaler = { manager: 'kube-controller-manager', operation: 'Update', subresource: 'scale' };
    const editor = { manager: 'kubectl', operation: 'Update' };
    const sizeOf = (more: object): Record<string, unknown> => ({ 'f:spec': { 'f:pool': { 'f:size': {}, ...more } } });
    const metadata = {
      name: 'n',
      managedFields: [
        { ...scaler, fieldsV1: sizeOf({}) },
        { ...editor, fieldsV1: sizeOf({ 'f:zone': {} }) },
      ],
    };
    const scaled = applyReplicas(object({ metadata }), ['spec', 'pool', 'size'], 3, 'someone');
    expect(scaled.metadata.managedFields).toEqual([
      { ...scaler, fieldsV1: {} },
      { ...editor, fieldsV1: { 'f:spec': { 'f:pool': { 'f:zone': {} } } } },
      { manager: 'someone', operation: 'Update', subresource: 'scale', fieldsV1: sizeOf({}) },
    ]);
  });
});
