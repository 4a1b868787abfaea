import { describe, expect, it } from '@jest/globals';
import type { KubeObject, ManagedFieldsEntry, ObjectRef } from '#domain';
import { matchFacts, newestManager } from './match-facts.ts';

const REF: ObjectRef = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  namespace: 'shop',
  name: 'a',
  uid: 'u',
};
const ALICE = { user: 'alice', fieldManager: 'kubectl-edit' };
const entry = (manager: string, time: string, more: ManagedFieldsEntry = {}): ManagedFieldsEntry => ({
  manager,
  time,
  ...more,
});
const object = (metadata: KubeObject['metadata'], fields: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'a', namespace: 'shop', ...metadata },
  ...fields,
});

describe('matchFacts', () => {
  it('reads labels, annotations and the controlling owner from the state', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'o' };
    const state = object({
      labels: { tier: 'web' },
      annotations: { note: 'x' },
      ownerReferences: [
        { ...owner, controller: false },
        { ...owner, uid: 'p', controller: true },
      ],
    });
    expect(matchFacts('CREATE', REF, state, ALICE, { environment: 'test' })).toEqual({
      operation: 'CREATE',
      type: { group: '', version: 'v1', kind: 'Secret', resource: 'secrets' },
      namespace: 'shop',
      name: 'a',
      namespaceLabels: { environment: 'test' },
      labels: { tier: 'web' },
      annotations: { note: 'x' },
      controllerOwner: { ...owner, uid: 'p', controller: true },
      user: 'alice',
      fieldManager: 'kubectl-edit',
    });
  });

  it('knows the type of a Secret of the core group, and of nothing else', () => {
    const state = object({}, { type: 'helm.sh/release.v1' });
    expect(matchFacts('CREATE', REF, state, ALICE, {}).secretType).toBe('helm.sh/release.v1');
    expect(matchFacts('CREATE', { ...REF, group: 'x.io' }, state, ALICE, {}).secretType).toBeUndefined();
    expect(matchFacts('CREATE', { ...REF, kind: 'ConfigMap' }, state, ALICE, {}).secretType).toBeUndefined();
    expect(matchFacts('CREATE', REF, object({}, { type: 7 }), ALICE, {}).secretType).toBeUndefined();
  });

  const MANAGED = object({ managedFields: [entry('argocd-controller', '2026-01-01T00:00:00Z')] });

  it('takes the manager of the newest write where the client named none', () => {
    const nameless = { user: 'alice', fieldManager: '' };
    expect(matchFacts('UPDATE', REF, MANAGED, nameless, {}).fieldManager).toBe('argocd-controller');
  });

  it('knows no manager of a deletion: who wrote last is not who deletes', () => {
    const nameless = { user: 'alice', fieldManager: '' };
    expect(matchFacts('DELETE', REF, MANAGED, nameless, {}).fieldManager).toBe('');
  });

  it('knows neither user nor manager of an observed change', () => {
    expect(matchFacts('UPDATE', REF, MANAGED, undefined, {})).toMatchObject({ user: '', fieldManager: '' });
  });
});

describe('newestManager', () => {
  it.each<[string, ManagedFieldsEntry[] | undefined, ManagedFieldsEntry[] | undefined, string]>([
    ['none', undefined, undefined, ''],
    ['an empty list', [], undefined, ''],
    ['the later time', [entry('a', '2026-01-02T00:00:00Z'), entry('b', '2026-01-01T00:00:00Z')], undefined, 'a'],
    ['no status write', [entry('a', '1'), entry('status', '2', { subresource: 'status' })], undefined, 'a'],
    ['an entry without time', [{ manager: 'a' }], undefined, 'a'],
    ['of one second the first, where nothing more is known', [entry('a', '1'), entry('b', '1')], undefined, 'a'],
    ['of one second the one that is new', [entry('a', '1'), entry('b', '1')], [entry('a', '1')], 'b'],
    [
      'of one second the one whose fields changed',
      [entry('a', '1', { fieldsV1: { f: 1 } }), entry('b', '1', { fieldsV1: { g: 2 } })],
      [entry('a', '1', { fieldsV1: { f: 1 } }), entry('b', '1', { fieldsV1: { g: 1 } })],
      'b',
    ],
    ['the later time before what changed', [entry('a', '2'), entry('b', '1')], [entry('a', '2')], 'a'],
  ])('takes %s', (_title, entries, before, expected) => {
    expect(newestManager(entries, before)).toBe(expected);
  });
});
