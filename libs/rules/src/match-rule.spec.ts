import { describe, expect, it } from '@jest/globals';
import { compileRule } from './compile-rule.ts';
import { NOISE_KINDS } from './default-noise.ts';
import type { MatchFacts } from './match-facts.ts';
import { matchRule } from './match-rule.ts';
import type { MatchResult } from './match-rule.ts';
import { parseWatchRule } from './parse-watch-rule.ts';
import type { SkipReason } from './skip-reason.ts';

const everything = { gitRepoConfigRef: 'repo', resources: [{ apiVersion: '*', kind: '*' }] };
const configMap = { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps' };
const secret = { group: '', version: 'v1', kind: 'Secret', resource: 'secrets' };
const deployment = { group: 'apps', version: 'v1', kind: 'Deployment', resource: 'deployments' };
const clusterRole = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  resource: 'clusterroles',
};
const namespaceType = { group: '', version: 'v1', kind: 'Namespace', resource: 'namespaces' };
const production = { namespaceSelector: { matchLabels: { environment: 'production' } } };

function compiled(spec: object) {
  const metadata = { name: 'rule', namespace: 'team' };
  const result = parseWatchRule({ apiVersion: 'v', kind: 'k', metadata, spec: { ...everything, ...spec } });
  if ('problems' in result) throw new Error(result.problems.join());
  return compileRule(result.rule);
}

function named(apiVersion: string, kind: string) {
  return { resources: [{ apiVersion, kind }] };
}

function factsWith(facts: Partial<MatchFacts>): MatchFacts {
  return {
    operation: 'UPDATE',
    type: configMap,
    namespace: 'shop',
    namespaceLabels: {},
    name: 'settings',
    labels: {},
    annotations: {},
    user: 'alice',
    fieldManager: 'kubectl',
    ...facts,
  };
}

const inProduction = { namespaceLabels: { environment: 'production' } };
const clusterScoped = { namespace: undefined, namespaceLabels: undefined };
const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: 'u', controller: true };
const controller = 'system:serviceaccount:kube-system:some-controller';

interface Case {
  description: string;
  rule?: object;
  facts?: Partial<MatchFacts>;
  expected: 'wanted' | 'undecided' | SkipReason;
}

function outcomeOf(result: MatchResult): Case['expected'] {
  if ('skipped' in result) return result.skipped;
  return 'wanted' in result ? 'wanted' : 'undecided';
}

function each(cases: Case[]) {
  it.each(cases)('$description: $expected', ({ rule = {}, facts = {}, expected }) => {
    expect(outcomeOf(matchRule(compiled(rule), factsWith(facts)))).toBe(expected);
  });
}

describe('matchRule selects types', () => {
  each([
    { description: 'any kind of any group', expected: 'wanted' },
    { description: 'v1 and the kind', rule: named('v1', 'ConfigMap'), expected: 'wanted' },
    { description: 'another kind', rule: named('v1', 'Secret'), expected: 'resource-not-selected' },
    {
      description: 'the kind in any group',
      rule: named('*', 'Deployment'),
      facts: { type: deployment },
      expected: 'wanted',
    },
    {
      description: 'the kind in another group',
      rule: named('v1', 'Deployment'),
      facts: { type: deployment },
      expected: 'resource-not-selected',
    },
    {
      description: 'all kinds of a group',
      rule: named('apps/*', '*'),
      facts: { type: deployment },
      expected: 'wanted',
    },
    {
      description: 'all kinds of another group',
      rule: named('batch/*', '*'),
      facts: { type: deployment },
      expected: 'resource-not-selected',
    },
    {
      description: 'a group that only begins alike',
      rule: named('app/*', '*'),
      facts: { type: deployment },
      expected: 'resource-not-selected',
    },
    {
      description: 'another version of the group',
      rule: named('apps/v1beta1', 'Deployment'),
      facts: { type: deployment },
      expected: 'wanted',
    },
    {
      description: 'v1 and any kind leaves out named groups',
      rule: named('v1', '*'),
      facts: { type: deployment },
      expected: 'resource-not-selected',
    },
    { description: 'the kind in other letters', rule: named('v1', 'configmap'), expected: 'resource-not-selected' },
    { description: 'cluster-scoped kinds', facts: { type: clusterRole, ...clusterScoped }, expected: 'wanted' },
  ]);
});

describe('matchRule selects namespaces', () => {
  each([
    { description: 'a namespace with the label', rule: production, facts: inProduction, expected: 'wanted' },
    { description: 'a namespace without it', rule: production, expected: 'namespace-not-selected' },
    {
      description: 'labels not known yet',
      rule: production,
      facts: { namespaceLabels: 'unknown' },
      expected: 'undecided',
    },
    { description: 'labels not given', rule: production, facts: { namespaceLabels: undefined }, expected: 'undecided' },
    { description: 'labels not known, but no selector', facts: { namespaceLabels: 'unknown' }, expected: 'wanted' },
    {
      description: 'labels not known, but the selector is empty',
      rule: { namespaceSelector: {} },
      facts: { namespaceLabels: 'unknown' },
      expected: 'wanted',
    },
    {
      description: 'labels not known, but the user is excluded',
      rule: { ...production, excludeUsers: ['alice'] },
      facts: { namespaceLabels: 'unknown' },
      expected: 'user-excluded',
    },
    {
      description: 'a cluster-scoped object',
      rule: production,
      facts: { type: clusterRole, ...clusterScoped },
      expected: 'cluster-scoped',
    },
    {
      description: 'a cluster-scoped object and an empty selector',
      rule: { namespaceSelector: {} },
      facts: { type: clusterRole, ...clusterScoped },
      expected: 'cluster-scoped',
    },
    {
      description: 'a Namespace by its own labels',
      rule: production,
      facts: { type: namespaceType, ...clusterScoped, labels: { environment: 'production' } },
      expected: 'wanted',
    },
    {
      description: 'a Namespace without the label',
      rule: production,
      facts: { type: namespaceType, ...clusterScoped },
      expected: 'namespace-not-selected',
    },
    {
      description: 'a Namespace whose request names it as its namespace',
      rule: production,
      facts: { type: namespaceType, namespace: 'settings', namespaceLabels: 'unknown' },
      expected: 'namespace-not-selected',
    },
  ]);
});

describe('matchRule selects objects', () => {
  const labelSelector = { matchLabels: { app: 'shop' } };
  const excludeLabels = { matchExpressions: [{ key: 'temporary', operator: 'Exists' }] };
  each([
    {
      description: 'the selected label',
      rule: { labelSelector },
      facts: { labels: { app: 'shop' } },
      expected: 'wanted',
    },
    { description: 'no selected label', rule: { labelSelector }, expected: 'labels-not-selected' },
    {
      description: 'an excluded label',
      rule: { excludeLabels },
      facts: { labels: { temporary: '' } },
      expected: 'labels-excluded',
    },
    { description: 'no excluded label', rule: { excludeLabels }, expected: 'wanted' },
    { description: 'an empty exclusion', rule: { excludeLabels: {} }, expected: 'wanted' },
    {
      description: 'the ignore annotation',
      rule: named('v1', 'ConfigMap'),
      facts: { annotations: { 'gitops-reverser/ignore': 'true' } },
      expected: 'ignored',
    },
    {
      description: 'the ignore label',
      rule: named('v1', 'ConfigMap'),
      facts: { labels: { 'gitops-reverser/ignore': 'true' } },
      expected: 'ignored',
    },
    {
      description: 'the ignore annotation with another value',
      facts: { annotations: { 'gitops-reverser/ignore': 'false' } },
      expected: 'wanted',
    },
    { description: 'an owned object', facts: { controllerOwner: owner }, expected: 'owned' },
    {
      description: 'an owned object of a named kind',
      rule: named('v1', 'ConfigMap'),
      facts: { controllerOwner: owner },
      expected: 'owned',
    },
    {
      description: 'an owned object that is asked for',
      rule: { includeOwned: true },
      facts: { controllerOwner: owner },
      expected: 'wanted',
    },
    { description: 'a dying object', facts: { dying: true }, expected: 'dying' },
  ]);
});

describe('matchRule selects operations and writers', () => {
  const flux = { excludeUsers: ['system:serviceaccount:flux-system:*'] };
  each([
    {
      description: 'a selected operation',
      rule: { operations: ['DELETE'] },
      facts: { operation: 'DELETE' },
      expected: 'wanted',
    },
    { description: 'another operation', rule: { operations: ['DELETE'] }, expected: 'operation-not-selected' },
    {
      description: 'an excluded user',
      rule: flux,
      facts: { user: 'system:serviceaccount:flux-system:kustomize' },
      expected: 'user-excluded',
    },
    {
      description: 'a user who only begins alike',
      rule: flux,
      facts: { user: 'system:serviceaccount:flux-system' },
      expected: 'wanted',
    },
    {
      description: 'an excluded user who deletes',
      rule: flux,
      facts: { operation: 'DELETE', user: 'system:serviceaccount:flux-system:kustomize' },
      expected: 'user-excluded',
    },
    {
      description: 'no user, although all are excluded',
      rule: { excludeUsers: ['*'], excludeFieldManagers: ['*'] },
      facts: { user: '' },
      expected: 'wanted',
    },
    {
      description: 'an excluded field manager',
      rule: { excludeFieldManagers: ['argocd-*'] },
      facts: { fieldManager: 'argocd-controller' },
      expected: 'field-manager-excluded',
    },
    {
      description: 'an unknown field manager',
      rule: { excludeFieldManagers: ['*'] },
      facts: { fieldManager: '' },
      expected: 'wanted',
    },
  ]);
});

describe('matchRule leaves noise out of wildcards', () => {
  const helm = { type: secret, secretType: 'helm.sh/release.v1' };
  const token = { type: secret, secretType: 'kubernetes.io/service-account-token' };
  const apiService = {
    ...clusterScoped,
    type: { group: 'apiregistration.k8s.io', version: 'v1', kind: 'APIService', resource: 'apiservices' },
  };
  const inKubeSystem = { namespace: 'kube-system' };
  each([
    { description: 'a Helm release', facts: helm, expected: 'default-object' },
    { description: 'a service account token', facts: token, expected: 'default-object' },
    { description: 'another Secret', facts: { type: secret, secretType: 'Opaque' }, expected: 'wanted' },
    { description: 'the published root certificate', facts: { name: 'kube-root-ca.crt' }, expected: 'default-object' },
    {
      description: 'a Secret of that name',
      facts: { type: secret, secretType: 'Opaque', name: 'kube-root-ca.crt' },
      expected: 'wanted',
    },
    { description: 'kube-system', facts: inKubeSystem, expected: 'default-namespace' },
    {
      description: 'the Namespace kube-system',
      facts: { type: namespaceType, ...clusterScoped, name: 'kube-system' },
      expected: 'default-namespace',
    },
    {
      description: 'kube-system, selected by labels',
      rule: production,
      facts: { ...inKubeSystem, ...inProduction },
      expected: 'wanted',
    },
    {
      description: 'kube-system, not selected by labels',
      rule: production,
      facts: inKubeSystem,
      expected: 'namespace-not-selected',
    },
    {
      description: 'kube-system, the kind being named',
      rule: named('v1', 'ConfigMap'),
      facts: inKubeSystem,
      expected: 'wanted',
    },
    { description: "a write of the cluster's controllers", facts: { user: controller }, expected: 'default-user' },
    {
      description: 'such a write in a selected namespace',
      rule: production,
      facts: { user: controller, ...inProduction },
      expected: 'default-user',
    },
    { description: 'their deletion', facts: { user: controller, operation: 'DELETE' }, expected: 'wanted' },
    {
      description: 'their write of a named kind',
      rule: named('*', 'ConfigMap'),
      facts: { user: controller },
      expected: 'wanted',
    },
    {
      description: 'a Helm release, the kind being named',
      rule: named('v1', 'Secret'),
      facts: helm,
      expected: 'wanted',
    },
    {
      description: 'the root certificate, the kind being named',
      rule: named('v1', 'ConfigMap'),
      facts: { name: 'kube-root-ca.crt' },
      expected: 'wanted',
    },
    {
      description: 'an APIService that the API server makes of a CRD',
      facts: { ...apiService, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } },
      expected: 'default-object',
    },
    { description: 'an APIService that a person makes', facts: { ...apiService, labels: {} }, expected: 'wanted' },
    {
      description: 'that label on another kind',
      facts: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } },
      expected: 'wanted',
    },
    { description: "a write of the API server's own", facts: { user: 'system:apiserver' }, expected: 'wanted' },
    {
      description: 'an Event of another group',
      facts: { type: { group: 'calendar.example.com', version: 'v1', kind: 'Event', resource: 'events' } },
      expected: 'wanted',
    },
    {
      description: 'a kind named beside a wildcard',
      rule: { resources: [...everything.resources, { apiVersion: 'v1', kind: 'Pod' }] },
      facts: { type: { group: '', version: 'v1', kind: 'Pod', resource: 'pods' } },
      expected: 'wanted',
    },
  ]);

  it.each(NOISE_KINDS)('$group/$kind is left out unless it is named', ({ group, kind }) => {
    const facts = factsWith({ type: { group, version: 'v1', kind, resource: 'any' } });
    expect(matchRule(compiled({}), facts)).toEqual({ skipped: 'default-kind' });
    expect(matchRule(compiled(named('*', kind)), facts)).toEqual({ wanted: true });
  });
});
