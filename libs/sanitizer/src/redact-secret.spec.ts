import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { KubeObject, ObjectMeta } from '#domain';
import { renderManifest } from './render-manifest.ts';
import { sanitizeManifest } from './sanitize-manifest.ts';

const digestKey = new Uint8Array(32).fill(7);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const render = (object: KubeObject, key = digestKey): string =>
  renderManifest(sanitizeManifest(object, { digestKey: key }));
const secret = (
  values: Record<string, string>,
  metadata: ObjectMeta = {},
  rest: Record<string, unknown> = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'credentials', namespace: 'prod', ...metadata },
  data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, base64(value)])),
  ...rest,
});
const annotated = (value: string, values: Record<string, string> = { password: 'hunter2!' }): unknown =>
  (parse(render(secret(values, { annotations: { note: value } }))) as KubeObject).metadata.annotations?.['note'];

describe('a Secret', () => {
  it('keeps its keys and loses its values, in a file that says so and can be applied', () => {
    const text = render(secret({ user: 'admin', password: 'hunter2!' }, {}, { type: 'Opaque', immutable: true }));
    expect(text).toMatch(/^# .*redacted.*\n# hmac-sha256:[0-9a-f]{64}\napiVersion: v1\n/);
    expect(parse(text)).toMatchObject({
      data: { user: base64('REDACTED'), password: base64('REDACTED') },
      type: 'Opaque',
      immutable: true,
    });
  });

  it('has Docker credentials replaced by a JSON object, which the API server insists on', () => {
    const text = render(
      secret({ '.dockerconfigjson': '{"auths":{}}' }, {}, { type: 'kubernetes.io/dockerconfigjson' }),
    );
    const { data } = parse(text) as { data: Record<string, string> };
    expect(JSON.parse(Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString())).toEqual({ REDACTED: true });
  });

  it('never shows a value, plain or as base64, wherever a tool has copied it', () => {
    const value = fc.oneof(
      fc.string({ minLength: 8, maxLength: 60 }),
      fc.string({ unit: 'binary', minLength: 8 }),
      fc.uint8Array({ minLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^k[0-9]{1,3}$/), value, { minKeys: 1, maxKeys: 4 }), (values) => {
        const [first = ''] = Object.values(values).map((text) => text.trim());
        fc.pre(Object.values(values).every((text) => text.trim().length >= 8 && !'REDACTED'.includes(text.trim())));
        const object = secret(
          values,
          {
            annotations: {
              plain: `copy: ${first}`,
              encoded: base64(first),
              json: JSON.stringify({ first }),
              pair: base64(`user:${first}\n`),
              'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(values),
            },
          },
          { stringData: values },
        );
        const text = render(object);
        for (const hidden of Object.values(values)) {
          expect(text).not.toContain(hidden.trim());
          expect(text).not.toContain(base64(hidden));
          expect(text).not.toContain(JSON.stringify(hidden.trim()).slice(1, -1));
        }
      }),
    );
  });

  it.each(['hunter2!', 'x hunter2! y', base64('hunter2!'), base64('user:hunter2!'), base64('us:hunter2!x')])(
    'has an annotation redacted that says %j',
    (value) => expect(annotated(value)).toBe('REDACTED'),
  );

  it('keeps annotations that only share a commonplace word or the name of the Secret', () => {
    expect(annotated('true', { enabled: 'true' })).toBe('true');
    expect(annotated('5432', { port: '5432' })).toBe('5432');
    expect(annotated('for credentials', { kind: 'credentials' })).toBe('for credentials');
  });

  it('changes when one value changes, and only then', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const same = render(secret({ a: one, b: 'x' })) === render(secret({ a: other, b: 'x' }));
        expect(same).toBe(one === other);
      }),
    );
    const rotated: KubeObject = {
      ...secret({ b: 'x', a: 'y' }),
      metadata: { name: 'credentials', namespace: 'prod', uid: 'other' },
    };
    expect(render(rotated)).toBe(render(secret({ a: 'y', b: 'x' })));
  });

  it('has the same digest whether a value came as data or as stringData', () => {
    const digest = (object: KubeObject): unknown => sanitizeManifest(object, { digestKey }).comment;
    const plain: KubeObject = { ...secret({}), data: { a: base64('old') }, stringData: { a: 'hunter2!' } };
    expect(digest(plain)).toEqual(digest(secret({ a: 'hunter2!' })));
  });

  it.each([
    ['name', secret({ a: 'v' }, { name: 'other' })],
    ['namespace', secret({ a: 'v' }, { namespace: 'other' })],
    ['key', secret({ b: 'v' })],
  ])('has another digest for the same value under another %s', (_, other) => {
    const digest = (object: KubeObject): unknown => sanitizeManifest(object, { digestKey }).comment[1];
    expect(digest(other)).not.toBe(digest(secret({ a: 'v' })));
  });

  it('has another digest under another key of the operator', () => {
    expect(render(secret({ a: 'v' }), new Uint8Array(32))).not.toBe(render(secret({ a: 'v' })));
  });

  it('does not show what the token controller filled in', () => {
    const token = secret({ token: 'eyJhbGciOi' }, {}, { type: 'kubernetes.io/service-account-token' });
    token.metadata.managedFields = [
      { manager: 'kubectl', fieldsV1: { 'f:type': {} } },
      { manager: 'kube-controller-manager', fieldsV1: { 'f:data': { 'f:token': {} } } },
    ];
    expect(parse(render(token))).not.toHaveProperty('data');
  });

  it('of another group is an ordinary object', () => {
    const custom: KubeObject = { ...secret({ a: 'v' }), apiVersion: 'vault.example.com/v1' };
    expect(sanitizeManifest(custom, { digestKey })).toEqual({ object: custom, comment: [] });
  });
});
