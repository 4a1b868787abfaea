import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '#domain';
import type { AdmissionRequest } from '../webhook/admission-review.ts';
import { classifyRequest } from './classify-request.ts';

const object = (metadata: KubeObject['metadata'], fields: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'app', namespace: 'shop', uid: 'u1', resourceVersion: '5', ...metadata },
  ...fields,
});

function request(fields: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    uid: 'request',
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    subResource: '',
    name: 'app',
    namespace: 'shop',
    operation: 'UPDATE',
    user: 'alice',
    fieldManager: '',
    dryRun: false,
    object: object({}),
    oldObject: object({}),
    ...fields,
  };
}

const REF = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  namespace: 'shop',
  name: 'app',
  uid: 'u1',
};

describe('classifyRequest', () => {
  it.each<[string, Partial<AdmissionRequest>, string]>([
    ['a dry run', { dryRun: true }, 'dry-run'],
    ['a dry run of a scale', { dryRun: true, subResource: 'scale' }, 'dry-run'],
    ['CONNECT', { operation: 'CONNECT' }, 'connect'],
    ['a status write', { subResource: 'status' }, 'subresource'],
    ['a call without objects', { object: undefined, oldObject: undefined }, 'no-identity'],
    [
      'an object without uid',
      { operation: 'CREATE', oldObject: undefined, object: object({ uid: '' }) },
      'no-identity',
    ],
    [
      'an object without any name',
      { operation: 'CREATE', name: '', oldObject: undefined, object: object({ name: '' }) },
      'no-identity',
    ],
  ])('skips %s', (_title, fields, reason) => {
    expect(classifyRequest(request(fields))).toEqual({ kind: 'skip', reason });
  });

  it('takes the identity of an update from the state before, which the request can not change', () => {
    const result = classifyRequest(request({ object: object({ uid: 'forged', name: 'other' }) }));
    expect(result).toMatchObject({ kind: 'write', operation: 'UPDATE', ref: REF });
  });

  it('takes the name from the object where the request has none: deletecollection', () => {
    const result = classifyRequest(request({ operation: 'DELETE', name: '', namespace: '', object: undefined }));
    expect(result).toMatchObject({ kind: 'write', operation: 'DELETE', ref: REF, object: undefined });
  });

  it('takes the generated name from the object: generateName', () => {
    const created = object({ name: 'job-x7x2p', generateName: 'job-' });
    const result = classifyRequest(request({ operation: 'CREATE', name: '', object: created, oldObject: undefined }));
    expect(result).toMatchObject({ kind: 'write', ref: { ...REF, name: 'job-x7x2p' } });
  });

  it('gives a cluster-scoped object no namespace, not even a Namespace, whose request names one', () => {
    const namespaced = object({ namespace: undefined });
    const result = classifyRequest(request({ object: namespaced, oldObject: namespaced, namespace: 'app' }));
    expect(result).toMatchObject({ kind: 'write' });
    expect(result).not.toHaveProperty('ref.namespace');
  });

  describe('of a scale', () => {
    const scale = (replicas: unknown): KubeObject => object({}, { kind: 'Scale', spec: { replicas } });
    const scaleRequest = (fields: Partial<AdmissionRequest> = {}): AdmissionRequest =>
      request({
        subResource: 'scale',
        kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
        resource: { group: 'apps', version: 'v1', resource: 'deployments' },
        object: scale(3),
        oldObject: scale(1),
        ...fields,
      });

    it('names the parent, the version it started from, and the replicas asked for', () => {
      expect(classifyRequest(scaleRequest())).toEqual({
        kind: 'scale',
        group: 'apps',
        resource: 'deployments',
        namespace: 'shop',
        name: 'app',
        uid: 'u1',
        version: '5',
        replicas: 3,
      });
    });

    it('reads no replicas as zero, which JSON leaves out', () => {
      expect(classifyRequest(scaleRequest({ object: object({}, { spec: {} }) }))).toMatchObject({ replicas: 0 });
      expect(classifyRequest(scaleRequest({ object: object({}) }))).toMatchObject({ replicas: 0 });
    });

    it.each<[string, Partial<AdmissionRequest>]>([
      ['replicas that are no number', { object: scale('3') }],
      ['no state before', { oldObject: undefined }],
      ['no uid', { oldObject: object({ uid: undefined }) }],
      ['no version', { oldObject: object({ resourceVersion: undefined }) }],
    ])('skips one with %s', (_title, fields) => {
      expect(classifyRequest(scaleRequest(fields))).toEqual({ kind: 'skip', reason: 'no-identity' });
    });
  });
});
