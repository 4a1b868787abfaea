import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ObjectRef } from '#domain';
import { objectPath } from './object-path.ts';

const ref = (parts: Partial<ObjectRef>): ObjectRef => ({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  name: 'app',
  uid: 'u',
  ...parts,
});

describe('the path of an object', () => {
  it.each([
    [ref({ namespace: 'production' }), '', 'namespaces/production/ConfigMap/app.yaml'],
    [ref({ namespace: 'production' }), '/clusters/eu/', 'clusters/eu/namespaces/production/ConfigMap/app.yaml'],
    [ref({ kind: 'Namespace' }), '', 'cluster-scoped/Namespace/app.yaml'],
    [
      ref({ kind: 'ClusterRole', group: 'rbac.authorization.k8s.io', name: 'system:Node' }),
      '',
      'cluster-scoped/ClusterRole/system%3ANode.yaml',
    ],
    [ref({ kind: 'Deployment', group: 'apps', namespace: 'a' }), '', 'namespaces/a/Deployment/app.yaml'],
    [
      ref({ kind: 'Certificate', group: 'cert-manager.io', namespace: 'a' }),
      '',
      'namespaces/a/Certificate.cert-manager.io/app.yaml',
    ],
    [ref({ namespace: '..', kind: '.git', name: '../x' }), '', 'namespaces/%2E./%2Egit/..%2Fx.yaml'],
    [ref({ namespace: '.GIT', kind: '..', name: '%2E' }), '', 'namespaces/%2EGIT/%2E%2E/%252E.yaml'],
  ])('of %j under %j is %s', (object, specPath, path) => {
    expect(objectPath(object, specPath)).toBe(path);
  });

  it.each(['..', 'a/../b', 'a//b', '.git', 'a/.GIT/b', 'a\nb', 'a\\b', './a'])('refuses the folder %j', (specPath) => {
    expect(() => objectPath(ref({}), specPath)).toThrow(expect.objectContaining({ code: 'PathInvalid' }));
  });

  const name = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }).filter((text) => text.isWellFormed()),
    fc.constantFrom(
      '.',
      '..',
      '.git',
      '.GIT',
      '%2E',
      '%2E.',
      '-rf',
      'a/b',
      'x'.repeat(250),
      'x'.repeat(251),
      `${'é'.repeat(100)}a`,
    ),
  );
  const object = fc.record({
    namespace: fc.option(name, { nil: undefined }),
    kind: name,
    group: fc.constantFrom('', 'apps', 'x.k8s.io', 'acme.dev'),
    name,
  });

  it('stays in the tree and within what file systems take, whatever the names', () => {
    fc.assert(
      fc.property(object, (parts) => {
        const path = objectPath(ref(parts), 'base');
        expect(posix.normalize(path)).toBe(path);
        const segments = path.split('/');
        expect(segments).toHaveLength(parts.namespace === undefined ? 4 : 5);
        for (const segment of segments) {
          expect(segment).toMatch(/^[A-Za-z0-9._%-]{1,255}$/);
          expect(segment).not.toMatch(/^(\.|\.\.|\.git)$/i);
        }
      }),
    );
  });

  it('is another one for another object', () => {
    fc.assert(
      fc.property(object, object, (one, other) => {
        const folder = (parts: typeof one): string => (parts.group === 'acme.dev' ? parts.group : '');
        const same =
          one.namespace === other.namespace &&
          one.kind === other.kind &&
          one.name === other.name &&
          folder(one) === folder(other);
        const [left, right] = [one, other].map((parts) => objectPath(ref(parts as Partial<ObjectRef>), ''));
        expect(left === right).toBe(same);
      }),
      { numRuns: 500 },
    );
  });
});
