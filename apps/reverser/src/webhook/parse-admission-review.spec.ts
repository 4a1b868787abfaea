import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseAdmissionReview, parseTruncatedReview } from './parse-admission-review.ts';

const UID = '705ab4f5-6393-11e8-b7cc-42010a800002';

/** A request in the field order that the API server writes. */
function requestOf(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    uid: UID,
    kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    resource: { group: 'apps', version: 'v1', resource: 'deployments' },
    requestKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    name: 'web',
    namespace: 'shop',
    operation: 'UPDATE',
    userInfo: { username: 'alice', groups: ['a'], extra: { object: ['x'] } },
    object: { metadata: { name: 'web', uid: 'u1' } },
    oldObject: { metadata: { name: 'web', uid: 'u1', resourceVersion: '5' } },
    dryRun: false,
    options: { kind: 'UpdateOptions', fieldManager: 'kubectl-edit' },
    ...fields,
  };
}

const review = (fields: Record<string, unknown> = {}): string =>
  JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request: requestOf(fields) });

const IDENTITY = {
  uid: UID,
  kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
  resource: { group: 'apps', version: 'v1', resource: 'deployments' },
  subResource: '',
  name: 'web',
  namespace: 'shop',
  operation: 'UPDATE',
  user: 'alice',
};

describe('parseAdmissionReview', () => {
  it('reads who asks for what', () => {
    expect(parseAdmissionReview(review())).toEqual({
      ...IDENTITY,
      fieldManager: 'kubectl-edit',
      dryRun: false,
      object: { metadata: { name: 'web', uid: 'u1' } },
      oldObject: { metadata: { name: 'web', uid: 'u1', resourceVersion: '5' } },
    });
  });

  it.each([
    { title: 'an object that is null, as for DELETE', fields: { object: null }, expected: { object: undefined } },
    { title: 'an object without metadata', fields: { object: { kind: 'Eviction' } }, expected: { object: undefined } },
    {
      title: 'an object whose uid is no text',
      fields: { object: { metadata: { name: 'web', uid: 7 } } },
      expected: { object: undefined },
    },
    { title: 'no options', fields: { options: undefined }, expected: { fieldManager: '' } },
    { title: 'no user', fields: { userInfo: undefined }, expected: { user: '' } },
    { title: 'a subresource', fields: { subResource: 'scale' }, expected: { subResource: 'scale' } },
    { title: 'a dry run', fields: { dryRun: true }, expected: { dryRun: true } },
    { title: 'a dryRun that is no boolean', fields: { dryRun: 'true' }, expected: { dryRun: false } },
    { title: 'a name that is no text', fields: { name: 7 }, expected: { name: '' } },
    { title: 'CONNECT', fields: { operation: 'CONNECT' }, expected: { operation: 'CONNECT' } },
  ])('reads $title', ({ fields, expected }) => {
    expect(parseAdmissionReview(review(fields))).toMatchObject(expected);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['no request', '{"kind":"AdmissionReview"}'],
    ['no uid', review({ uid: undefined })],
    ['an empty uid', review({ uid: '' })],
    ['no kind', review({ kind: undefined })],
    ['no resource', review({ resource: 'pods' })],
    ['an operation that is none', review({ operation: 'EXPLODE' })],
  ])('answers nothing for %s', (_title, text) => {
    expect(parseAdmissionReview(text)).toBeUndefined();
  });

  it('keeps every digit of an integer that a double can not hold', () => {
    const text = review({ object: { metadata: {}, spec: { limit: 7 } } }).replace(':7', ':1234567890123456789');
    expect(parseAdmissionReview(text)?.object).toEqual({
      metadata: {},
      spec: { limit: 1234567890123456789n },
    });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.dictionary(fc.string(), fc.jsonValue()).map(review)), (text) => {
        parseAdmissionReview(text);
        parseTruncatedReview(text);
      }),
    );
  });
});

describe('parseTruncatedReview', () => {
  it('reads the identity from any beginning that holds it whole', () => {
    const text = review({ object: { metadata: {}, data: { a: 'x'.repeat(500) } } });
    const objectAt = text.indexOf(',"object":');
    fc.assert(
      fc.property(fc.integer({ min: objectAt + ',"object":'.length, max: text.length }), (length) => {
        expect(parseTruncatedReview(text.slice(0, length))).toEqual(IDENTITY);
      }),
    );
  });

  it('answers nothing for a beginning that ends before', () => {
    const text = review();
    const objectAt = text.indexOf(',"object":');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: objectAt }), (length) => {
        expect(parseTruncatedReview(text.slice(0, length))).toBeUndefined();
      }),
    );
  });

  it('begins with oldObject where there is no object, as for DELETE', () => {
    const text = review({ operation: 'DELETE', object: undefined });
    const cut = text.slice(0, text.indexOf(',"oldObject":') + 20);
    expect(parseTruncatedReview(cut)).toEqual({ ...IDENTITY, operation: 'DELETE' });
  });

  it('takes no name for the end of the identity, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('', ',"object":', '"}},"oldObject":', '\\'), (text, trap) => {
        const user = `${text}${trap}${text}`;
        const cut = review({ userInfo: { username: user, extra: { object: [trap], oldObject: { object: text } } } });
        const end = cut.lastIndexOf(',"object":{"metadata"') + 15;
        expect(parseTruncatedReview(cut.slice(0, end))).toEqual({ ...IDENTITY, user });
      }),
    );
  });
});
