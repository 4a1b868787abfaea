import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { collectionPath, objectPath } from './object-path.ts';

const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments' };

describe('objectPath', () => {
  it.each([
    [{ group: '', version: 'v1', resource: 'namespaces' }, undefined, 'shop', undefined, '/api/v1/namespaces/shop'],
    [DEPLOYMENTS, 'shop', 'web', undefined, '/apis/apps/v1/namespaces/shop/deployments/web'],
    [DEPLOYMENTS, 'shop', 'web', 'scale', '/apis/apps/v1/namespaces/shop/deployments/web/scale'],
    [
      { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles' },
      undefined,
      'system:node',
      undefined,
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
    ],
  ])('of %j, namespace %j, name %j, subresource %j is %s', (type, namespace, name, subresource, path) => {
    expect(objectPath(type, namespace, name, subresource)).toBe(path);
  });

  it('never lets a name out of its place', () => {
    const parent = `${collectionPath(DEPLOYMENTS, 'shop')}/`;
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', minLength: 1 }), (name) => {
        fc.pre(name !== '.' && name !== '..');
        const { pathname, search, hash } = new URL(objectPath(DEPLOYMENTS, 'shop', name), 'https://server');
        expect([search, hash]).toEqual(['', '']);
        expect(decodeURIComponent(pathname)).toBe(parent + name);
        expect(pathname.split('/')).toHaveLength(parent.split('/').length);
      }),
    );
  });

  it.each(['', '.', '..'])('refuses the name %j', (name) => {
    expect(() => objectPath(DEPLOYMENTS, 'shop', name)).toThrow(TypeError);
  });
});
