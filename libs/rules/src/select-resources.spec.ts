import { describe, expect, it } from '@jest/globals';
import { compileRule } from './compile-rule.ts';
import { parseWatchRule } from './parse-watch-rule.ts';
import { findUnmatched, matchedResourceText, selectResources } from './select-resources.ts';
import type { ServedResource } from './select-resources.ts';

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function served(
  apiVersion: string,
  kind: string,
  resource: string,
  other: Partial<ServedResource> = {},
): ServedResource {
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const defaults = { namespaced: true, verbs: ALL_VERBS, subresources: [], preferred: true };
  return { group, version, kind, resource, ...defaults, ...other };
}

const configMaps = served('v1', 'ConfigMap', 'configmaps');
const namespaces = served('v1', 'Namespace', 'namespaces', { namespaced: false, subresources: ['finalize', 'status'] });
const deployments = served('apps/v1', 'Deployment', 'deployments', { subresources: ['scale', 'status'] });
const clusterRoles = served('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', { namespaced: false });
const hooks = served(
  'admissionregistration.k8s.io/v1',
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
  {
    namespaced: false,
  },
);
const reviews = served('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', {
  namespaced: false,
  verbs: ['create'],
});
const podMetrics = served('metrics.k8s.io/v1beta1', 'PodMetrics', 'pods', { verbs: ['get', 'list'] });
const crontabs = ['v2', 'v1', 'v1beta1'].map((version) =>
  served(`stable.example.com/${version}`, 'CronTab', 'crontabs', { preferred: version === 'v2' }),
);
const all = [configMaps, namespaces, deployments, clusterRoles, hooks, reviews, podMetrics, ...crontabs];

function ruleFor(resources: [apiVersion: string, kind: string][], other: object = {}) {
  const spec = {
    gitRepoConfigRef: 'repo',
    resources: resources.map(([apiVersion, kind]) => ({ apiVersion, kind })),
    ...other,
  };
  const result = parseWatchRule({ apiVersion: 'v', kind: 'k', metadata: { name: 'rule', namespace: 'team' }, spec });
  if ('problems' in result) throw new Error(result.problems.join());
  return compileRule(result.rule);
}

function textsOf(rules: ReturnType<typeof ruleFor>[], types = all): string[] {
  return selectResources(rules, types).map(({ type }) => matchedResourceText(type));
}

const production = { namespaceSelector: { matchLabels: { environment: 'production' } } };

describe('selectResources', () => {
  it.each<{ description: string; rules: ReturnType<typeof ruleFor>[]; expected: string[] }>([
    { description: 'nothing without rules', rules: [], expected: [] },
    {
      description: 'all that can be captured for a wildcard, once per resource',
      rules: [ruleFor([['*', '*']])],
      expected: [
        'v1/configmaps',
        'v1/namespaces',
        'apps/v1/deployments',
        'rbac.authorization.k8s.io/v1/clusterroles',
        'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
        'stable.example.com/v2/crontabs',
      ],
    },
    {
      description: 'namespaced resources and Namespaces with a namespaceSelector',
      rules: [ruleFor([['*', '*']], production)],
      expected: ['v1/configmaps', 'v1/namespaces', 'apps/v1/deployments', 'stable.example.com/v2/crontabs'],
    },
    {
      description: 'the version that the rules agree on',
      rules: [ruleFor([['stable.example.com/v1', 'CronTab']]), ruleFor([['*', 'CronTab']])],
      expected: ['stable.example.com/v1/crontabs'],
    },
    {
      description: 'the preferred version where they do not',
      rules: [
        ruleFor([
          ['stable.example.com/v1', 'CronTab'],
          ['stable.example.com/v1beta1', 'CronTab'],
        ]),
      ],
      expected: ['stable.example.com/v2/crontabs'],
    },
    {
      description: 'the preferred version where the named one is not served',
      rules: [ruleFor([['stable.example.com/v7', 'CronTab']])],
      expected: ['stable.example.com/v2/crontabs'],
    },
    {
      description: 'nothing that is only created or read',
      rules: [
        ruleFor([
          ['*', 'TokenReview'],
          ['*', 'PodMetrics'],
        ]),
      ],
      expected: [],
    },
  ])('selects $description', ({ rules, expected }) => {
    expect(textsOf(rules)).toEqual(expected);
  });

  it('selects the first listed version where the preferred one lacks the resource', () => {
    const older = [crontabs[1], crontabs[2]].filter((type) => type !== undefined);
    expect(textsOf([ruleFor([['*', '*']])], older)).toEqual(['stable.example.com/v1/crontabs']);
  });

  it('leaves noise out of wildcards, and brings it back by name', () => {
    const pods = served('v1', 'Pod', 'pods');
    expect(textsOf([ruleFor([['v1', '*']])], [pods])).toEqual([]);
    expect(
      textsOf(
        [
          ruleFor([
            ['v1', '*'],
            ['v1', 'Pod'],
          ]),
        ],
        [pods],
      ),
    ).toEqual(['v1/pods']);
  });

  it('joins the operations of all rules, as far as the type supports them', () => {
    const rules = [
      ruleFor([['*', '*']], { operations: ['DELETE'] }),
      ruleFor([['apps/v1', 'Deployment']], { operations: ['CREATE'] }),
    ];
    const immutable = served('v1', 'Thing', 'things', { verbs: ['get', 'list', 'create'] });
    const selected = selectResources(rules, [configMaps, deployments, immutable]);
    expect(selected.map(({ type, operations }) => [type.kind, operations])).toEqual([
      ['ConfigMap', ['DELETE']],
      ['Deployment', ['CREATE', 'DELETE']],
    ]);
  });

  it('registers scale beside what has it, where updates are wanted', () => {
    const scaleOf = (rule: ReturnType<typeof ruleFor>) =>
      selectResources([rule], [configMaps, deployments]).map(({ withScale }) => withScale);
    expect(scaleOf(ruleFor([['*', '*']]))).toEqual([false, true]);
    expect(scaleOf(ruleFor([['*', '*']], { operations: ['CREATE'] }))).toEqual([false, false]);
  });

  it('marks what the API server never sends to webhooks', () => {
    const selected = selectResources([ruleFor([['*', '*']])], [configMaps, hooks]);
    expect(selected.map(({ admitted }) => admitted)).toEqual([true, false]);
  });
});

describe('findUnmatched', () => {
  it.each<{ description: string; rule: ReturnType<typeof ruleFor>; expected: string[] }>([
    {
      description: 'nothing where all is served',
      rule: ruleFor([
        ['v1', 'ConfigMap'],
        ['*', '*'],
      ]),
      expected: [],
    },
    {
      description: 'a kind that nobody serves',
      rule: ruleFor([
        ['v1', 'ConfigMap'],
        ['v1', 'Widget'],
      ]),
      expected: ['v1 Widget'],
    },
    { description: 'a kind in the wrong group', rule: ruleFor([['v1', 'Deployment']]), expected: ['v1 Deployment'] },
    {
      description: 'a group that nobody serves',
      rule: ruleFor([['nobody.example.com/*', '*']]),
      expected: ['nobody.example.com/* *'],
    },
    { description: 'a kind that is never stored', rule: ruleFor([['*', 'TokenReview']]), expected: ['* TokenReview'] },
    {
      description: 'a cluster-scoped kind beside a namespaceSelector',
      rule: ruleFor([['*', 'ClusterRole']], production),
      expected: ['* ClusterRole'],
    },
    {
      description: 'nothing for another version of a served kind',
      rule: ruleFor([['apps/v1beta1', 'Deployment']]),
      expected: [],
    },
  ])('reports $description', ({ rule, expected }) => {
    expect(findUnmatched(rule, all)).toEqual(expected);
  });
});
