import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '#domain';
import fc from 'fast-check';
import { parseWatchRule } from './parse-watch-rule.ts';

const metadata = { name: 'rule', namespace: 'team', uid: 'u-1', generation: 3 };
const minimal = { gitRepoConfigRef: 'audit-repo', resources: [{ apiVersion: '*', kind: '*' }] };

function ruleWith(spec: unknown): KubeObject {
  return { apiVersion: 'configbutler.ai/v1alpha1', kind: 'WatchRule', metadata, spec };
}

function problemsOf(spec: unknown): string[] {
  const result = parseWatchRule(ruleWith(spec));
  return 'problems' in result ? result.problems : [];
}

describe('parseWatchRule', () => {
  it('applies the defaults', () => {
    expect(parseWatchRule(ruleWith(minimal))).toEqual({
      rule: {
        key: { namespace: 'team', name: 'rule' },
        uid: 'u-1',
        generation: 3,
        spec: {
          ...minimal,
          operations: ['CREATE', 'UPDATE', 'DELETE'],
          excludeUsers: [],
          excludeFieldManagers: [],
          includeOwned: false,
        },
      },
    });
  });

  it('keeps what was written', () => {
    const spec = {
      gitRepoConfigRef: 'audit-repo',
      resources: [{ apiVersion: 'apps/*', kind: 'Deployment' }],
      namespaceSelector: { matchLabels: { environment: 'production' } },
      labelSelector: { matchLabels: JSON.parse('{"constructor": "a", "toString": "b"}') as Record<string, string> },
      excludeLabels: { matchExpressions: [{ key: 'temporary', operator: 'Exists' }] },
      operations: ['DELETE'],
      excludeUsers: ['system:*'],
      excludeFieldManagers: ['argocd-*'],
      includeOwned: true,
    };
    expect(parseWatchRule(ruleWith(spec))).toMatchObject({ rule: { spec } });
  });

  it('treats null as absent, as the API server does', () => {
    const spec = { ...minimal, operations: null, namespaceSelector: null, excludeUsers: null };
    expect(parseWatchRule(ruleWith(spec))).toMatchObject({
      rule: { spec: { operations: ['CREATE', 'UPDATE', 'DELETE'] } },
    });
    expect(parseWatchRule(ruleWith(spec))).not.toHaveProperty('rule.spec.namespaceSelector');
  });

  it.each<{ description: string; spec: unknown; expected: string[] }>([
    { description: 'a missing spec', spec: undefined, expected: ['spec: must be set'] },
    { description: 'a spec that is a list', spec: [minimal], expected: ['spec: must be set'] },
    {
      description: 'an empty spec',
      spec: {},
      expected: [
        'spec.gitRepoConfigRef: must be a text',
        'spec.resources: must be a list of entries with apiVersion and kind',
      ],
    },
    {
      description: 'empty lists',
      spec: { ...minimal, resources: [], operations: [] },
      expected: [
        'spec.resources: must hold at least one entry with apiVersion and kind',
        'spec.operations: name at least one operation, or remove the field for all',
      ],
    },
    {
      description: 'a repository in another namespace',
      spec: { ...minimal, gitRepoConfigRef: 'other/repo' },
      expected: [
        "spec.gitRepoConfigRef: write the name of a GitRepoConfig in the same namespace: lower-case letters, digits, '-' and '.'",
      ],
    },
    {
      description: 'every mistake of an entry',
      spec: {
        ...minimal,
        resources: [
          { apiVersion: 'v1', kind: 'Secret' },
          { apiVersion: 'core/v1', kind: 7 },
        ],
      },
      expected: [
        'spec.resources[1].apiVersion: the core group has no name, write apiVersion as v1',
        'spec.resources[1].kind: must be a text',
      ],
    },
    {
      description: 'an entry that is a text',
      spec: { ...minimal, resources: ['v1/Secret'] },
      expected: ['spec.resources[0]: must hold apiVersion and kind'],
    },
    {
      description: 'an entry that is a list of entries',
      spec: { ...minimal, resources: [[{ apiVersion: 'v1', kind: 'Secret' }]] },
      expected: ['spec.resources[0]: must hold apiVersion and kind'],
    },
    {
      description: 'an unknown operation',
      spec: { ...minimal, operations: ['PATCH'] },
      expected: ['spec.operations[0]: must be one of CREATE, UPDATE, DELETE'],
    },
    {
      description: 'a flag that is a text',
      spec: { ...minimal, includeOwned: 'yes' },
      expected: ['spec.includeOwned: must be true or false'],
    },
    {
      description: 'users that are no texts',
      spec: { ...minimal, excludeUsers: ['', { constructor: 'x' }] },
      expected: ['spec.excludeUsers[0]: write a name, or a pattern with "*"', 'spec.excludeUsers[1]: must be a text'],
    },
    {
      description: 'every mistake of a selector',
      spec: {
        ...minimal,
        namespaceSelector: {
          matchExpressions: [
            { key: 'a', operator: 'In' },
            { key: 'a', operator: 'Exists', values: ['x'] },
            { key: 'a', operator: 'Equals' },
            { key: 'a', operator: 'NotIn', values: 'x' },
          ],
        },
        labelSelector: { matchLabels: { 'a b': 'c' } },
        excludeLabels: 'all',
      },
      expected: [
        'spec.namespaceSelector.matchExpressions[0]: In and NotIn need values, list at least one',
        'spec.namespaceSelector.matchExpressions[1]: Exists and DoesNotExist take no values, remove them',
        'spec.namespaceSelector.matchExpressions[2]: operator must be one of In, NotIn, Exists, DoesNotExist',
        'spec.namespaceSelector.matchExpressions[3]: values must be a list',
        'spec.labelSelector.matchLabels: "a b" is no label key, write name or prefix/name, such as app.kubernetes.io/name',
        'spec.excludeLabels: must be a label selector with matchLabels and matchExpressions',
      ],
    },
    {
      description: 'a label value that YAML read as a boolean',
      spec: { ...minimal, labelSelector: { matchLabels: { live: true } } },
      expected: [
        'spec.labelSelector.matchLabels["live"]: a value of type boolean is no label value: up to 63 letters, digits, ' +
          "'-', '_' and '.' in quotes where YAML needs them, with a letter or digit at both ends",
      ],
    },
  ])('reports $description', ({ spec, expected }) => {
    expect(problemsOf(spec).toSorted()).toEqual(expected.toSorted());
  });

  it('reports missing metadata', () => {
    const object = { spec: minimal } as unknown as KubeObject;
    expect(parseWatchRule(object)).toEqual({
      problems: ['metadata.name: must be set', 'metadata.namespace: must be set'],
    });
  });

  it('never lets a key reach a prototype', () => {
    const spec: unknown = JSON.parse(
      '{"gitRepoConfigRef": "a", "__proto__": {"includeOwned": true}, "constructor": {"prototype": {"polluted": 1}},' +
        ' "resources": [{"apiVersion": "v1", "kind": "Secret", "__proto__": {"polluted": 1}}]}',
    );
    expect(parseWatchRule(ruleWith(spec))).toMatchObject({ rule: { spec: { includeOwned: false } } });
    expect({}).not.toHaveProperty('polluted');
  });

  it('never throws, whatever the object holds', () => {
    const hostile = fc.anything({
      withNullPrototype: true,
      key: fc.constantFrom('a', '__proto__', 'constructor', 'length'),
    });
    const field = fc.constantFrom(
      ...['gitRepoConfigRef', 'resources', 'namespaceSelector', 'labelSelector', 'excludeLabels', 'operations'],
      ...['excludeUsers', 'excludeFieldManagers', 'includeOwned', '__proto__', 'constructor'],
    );
    const spec = fc.oneof(
      hostile,
      fc.dictionary(field, hostile).map((fields) => ({ ...minimal, ...fields })),
    );
    fc.assert(
      fc.property(spec, (value) => {
        const result = parseWatchRule(ruleWith(value));
        expect('rule' in result || result.problems.length > 0).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('survives a spec that is nested too deeply for any spec', () => {
    const deep: unknown = JSON.parse('['.repeat(5000) + ']'.repeat(5000));
    expect(problemsOf({ ...minimal, resources: deep, excludeUsers: deep, namespaceSelector: deep })).toHaveLength(3);
  });
});
