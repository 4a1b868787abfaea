import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '#domain';
import type { ServedResource } from '#rules';
import { evaluateRules } from './evaluate-rules.ts';

const served = (apiVersion: string, kind: string, more: Partial<ServedResource> = {}): ServedResource => {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return {
    ...{ group, version, kind, resource: `${kind.toLowerCase()}s`, namespaced: true, preferred: true },
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
    subresources: [],
    ...more,
  };
};
const TYPES = [
  served('v1', 'ConfigMap'),
  served('v1', 'Secret'),
  served('apps/v1', 'Deployment', { subresources: ['scale'] }),
];

const rule = (name: string, spec: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'configbutler.ai/v1alpha1',
  kind: 'WatchRule',
  metadata: { namespace: 'shop', name, uid: name, generation: 1 },
  spec: { gitRepoConfigRef: 'repo', resources: [{ apiVersion: 'v1', kind: 'ConfigMap' }], ...spec },
});
const evaluate = (objects: KubeObject[], known = ['shop/repo']) =>
  evaluateRules(objects, TYPES, ({ namespace, name }) => known.includes(`${namespace}/${name}`));

describe('evaluateRules', () => {
  it('puts a good rule in force and says what it matches', () => {
    const { rules, selected, evaluated } = evaluate([
      rule('good', {
        resources: [
          { apiVersion: 'v1', kind: 'Secret' },
          { apiVersion: 'apps/*', kind: '*' },
        ],
      }),
    ]);
    expect(rules.map(({ key }) => key.name)).toEqual(['good']);
    expect(selected.map(({ type, withScale }) => [type.resource, withScale])).toEqual([
      ['secrets', false],
      ['deployments', true],
    ]);
    expect(evaluated[0]!.state).toMatchObject({
      phase: 'ready',
      matchedResources: ['v1/secrets', 'apps/v1/deployments'],
    });
  });

  it.each([
    {
      title: 'a mistake in its spec',
      object: rule('bad', { resources: [] }),
      reason: 'InvalidSpec',
      message: /resources/,
    },
    {
      title: 'a repository that is not there',
      object: rule('bad', { gitRepoConfigRef: 'elsewhere' }),
      reason: 'GitRepoConfigNotFound',
      message: /elsewhere does not exist in namespace shop: create it/,
    },
    {
      title: 'a kind that nobody serves',
      object: rule('bad', { resources: [{ apiVersion: 'shop.io/v1', kind: 'Order' }] }),
      reason: 'NoResourcesMatched',
      message: /shop\.io\/v1 Order/,
    },
  ])('stalls a rule with $title, and leaves the others in force', ({ object, reason, message }) => {
    const { selected, evaluated } = evaluate([object, rule('good')]);
    expect(evaluated.map(({ state }) => state.phase)).toEqual(['stalled', 'ready']);
    expect(evaluated[0]!.state.reason).toBe(reason);
    expect(evaluated[0]!.state.message).toMatch(message);
    expect(selected.map(({ type }) => type.resource)).toEqual(['configmaps']);
  });

  it('keeps a rule ready of whose kinds only some are served, and names the others', () => {
    const resources = [
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { apiVersion: 'shop.io/v1', kind: 'Order' },
    ];
    const { evaluated } = evaluate([rule('half', { resources })]);
    expect(evaluated[0]!.state).toMatchObject({ phase: 'ready', matchedResources: ['v1/configmaps'] });
    expect(evaluated[0]!.state.message).toContain('shop.io/v1 Order');
  });

  it('holds a rule that names a kind that is not served yet: it selects it once it is', () => {
    const order = rule('early', { resources: [{ apiVersion: 'shop.io/v1', kind: 'Order' }] });
    const later = evaluateRules([order], [...TYPES, served('shop.io/v1', 'Order')], () => true);
    expect(later.selected.map(({ type }) => type.kind)).toEqual(['Order']);
  });

  it('looks for the repository in the namespace of the rule', () => {
    expect(evaluate([rule('stray')], ['other/repo']).evaluated[0]!.state.reason).toBe('GitRepoConfigNotFound');
  });

  it('selects each kind once, with the operations of all rules', () => {
    const { selected } = evaluate([
      rule('creations', { operations: ['CREATE'] }),
      rule('deletions', { operations: ['DELETE'] }),
    ]);
    expect(selected.map(({ operations }) => operations)).toEqual([['CREATE', 'DELETE']]);
  });

  it('groups by repository what its rules select: news of one is no news of another', () => {
    const secrets = { gitRepoConfigRef: 'other', resources: [{ apiVersion: 'v1', kind: 'Secret' }] };
    const known = ['shop/repo', 'shop/other'];
    const before = evaluate([rule('one'), rule('two', secrets)], known).byRepository;
    const after = evaluate(
      [rule('one'), rule('two', { ...secrets, labelSelector: { matchLabels: { a: 'b' } } })],
      known,
    ).byRepository;
    expect(before.get('shop/other')!.types.map(({ kind }) => kind)).toEqual(['Secret']);
    expect(after.get('shop/repo')).toEqual(before.get('shop/repo'));
    expect(after.get('shop/other')!.text).not.toBe(before.get('shop/other')!.text);
  });

  it('says nothing where there are no rules', () => {
    expect(evaluate([])).toMatchObject({ rules: [], selected: [], evaluated: [] });
  });
});
