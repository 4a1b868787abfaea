import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import type { MatchFacts } from './match-facts.ts';
import { parseWatchRule } from './parse-watch-rule.ts';
import type { WatchRule } from './parse-watch-rule.ts';
import { RulesModule } from './rules.module.ts';
import { RulesService } from './rules.service.ts';

function rule(name: string, repository: string, spec: object = {}): WatchRule {
  const result = parseWatchRule({
    apiVersion: 'configbutler.ai/v1alpha1',
    kind: 'WatchRule',
    metadata: { name, namespace: 'team' },
    spec: { gitRepoConfigRef: repository, resources: [{ apiVersion: '*', kind: '*' }], ...spec },
  });
  if ('problems' in result) throw new Error(result.problems.join());
  return result.rule;
}

const facts: MatchFacts = {
  operation: 'UPDATE',
  type: { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps' },
  namespace: 'shop',
  namespaceLabels: 'unknown',
  name: 'settings',
  labels: {},
  annotations: {},
  user: 'alice',
  fieldManager: 'kubectl',
};
const production = { namespaceSelector: { matchLabels: { environment: 'production' } } };
const first = { namespace: 'team', name: 'first' };
const second = { namespace: 'team', name: 'second' };

function serviceWith(...rules: WatchRule[]): RulesService {
  const service = new RulesService();
  service.setRules(rules);
  return service;
}

describe('RulesService', () => {
  it('wants nothing without rules', () => {
    expect(serviceWith().match(facts)).toEqual({ wantedBy: [], undecided: false, skips: [] });
  });

  it('sends one change to every repository that wants it, once, and says why others do not', () => {
    const service = serviceWith(
      rule('a', 'first'),
      rule('b', 'first'),
      rule('c', 'second'),
      rule('d', 'third', { excludeUsers: ['alice'] }),
      rule('e', 'fourth', { resources: [{ apiVersion: 'v1', kind: 'Secret' }] }),
    );
    expect(service.match(facts)).toEqual({
      wantedBy: [first, second],
      undecided: false,
      skips: [{ rule: 'team/d', reason: 'user-excluded' }],
    });
  });

  it('is undecided only about repositories that no other rule decides for', () => {
    const undecided = rule('a', 'first', production);
    expect(serviceWith(undecided, rule('b', 'second')).match(facts)).toMatchObject({
      wantedBy: [second],
      undecided: true,
    });
    expect(serviceWith(undecided, rule('b', 'first')).match(facts)).toMatchObject({
      wantedBy: [first],
      undecided: false,
    });
  });

  it('forgets the former rules when they are replaced', () => {
    const service = serviceWith(rule('a', 'first'));
    expect(service.match(facts).wantedBy).toEqual([first]);
    service.setRules([rule('b', 'second')]);
    expect(service.match(facts).wantedBy).toEqual([second]);
  });

  it("never wants what lies in the operator's own namespace or holds heartbeats", async () => {
    const module = await Test.createTestingModule({ imports: [RulesModule.forOwnNamespace('own')] }).compile();
    const service = module.get(RulesService);
    service.setRules([rule('a', 'first', { resources: [{ apiVersion: 'v1', kind: 'ConfigMap' }] })]);
    const skipped = { wantedBy: [], undecided: false, skips: [{ rule: 'team/a', reason: 'never-captured-namespace' }] };
    expect(service.match({ ...facts, namespace: 'own' })).toEqual(skipped);
    expect(service.match({ ...facts, namespace: 'kube-node-lease' })).toEqual(skipped);
    expect(service.match(facts).wantedBy).toEqual([first]);
  });

  it('works as a module of its own', async () => {
    const module = await Test.createTestingModule({ imports: [RulesModule] }).compile();
    expect(module.get(RulesService).match(facts).wantedBy).toEqual([]);
  });

  it('stays fast with a thousand rules that all have to be asked', () => {
    const rules = Array.from({ length: 1000 }, (_, index) =>
      rule(`r${index}`, `repo-${index}`, {
        ...production,
        excludeUsers: ['bot-*'],
        labelSelector: { matchLabels: { app: `${index}` } },
      }),
    );
    const service = serviceWith(...rules);
    const asked = { ...facts, namespaceLabels: { environment: 'production' }, labels: { app: '7' } };
    for (let warmUp = 0; warmUp < 200; warmUp++) service.match(asked);
    const started = performance.now();
    for (let run = 0; run < 200; run++) service.match(asked);
    const milliseconds = (performance.now() - started) / 200;
    expect(service.match(asked).wantedBy).toEqual([{ namespace: 'team', name: 'repo-7' }]);
    // 0.07 ms of one core in plain Node; jest's contexts and a busy machine take many times that, quadratic work more still.
    expect(milliseconds).toBeLessThan(10);
  });
});
