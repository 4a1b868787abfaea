import { describe, expect, it } from '@jest/globals';
import { parseAggregatedDiscovery, parseResourceList, rankVersions } from './parse-discovery.ts';

const resource = (
  name: string,
): { resource: string; scope: string; responseKind: { kind: string }; verbs: string[] } => ({
  resource: name,
  scope: 'Namespaced',
  responseKind: { kind: 'Kind' },
  verbs: ['list'],
});

describe('parseAggregatedDiscovery', () => {
  it('prefers the first version that serves a resource, which may not be the first version of its group', () => {
    const { types } = parseAggregatedDiscovery([
      {
        items: [
          {
            metadata: { name: 'shop' },
            versions: [
              { version: 'v2', resources: [resource('carts')] },
              { version: 'v1', resources: [resource('carts'), resource('coupons')] },
            ],
          },
        ],
      },
    ]);

    const preferred = types.filter((type) => type.preferred).map((type) => `${type.version} ${type.resource}`);
    expect(types).toHaveLength(3);
    expect(preferred).toEqual(['v2 carts', 'v1 coupons']);
  });

  it('names groups that come from a stale copy', () => {
    const versions = [{ version: 'v1', freshness: 'Stale', resources: [] }];

    const { failedGroups } = parseAggregatedDiscovery([
      { items: [{ metadata: { name: 'metrics.k8s.io' }, versions }] },
    ]);

    expect(failedGroups).toEqual(['metrics.k8s.io/v1']);
  });
});

describe('parseResourceList', () => {
  it('gathers subresources under their resource', () => {
    const entry = (name: string): { name: string; kind: string; namespaced: boolean; verbs: string[] } => ({
      name,
      kind: 'Pod',
      namespaced: true,
      verbs: ['get'],
    });

    const types = rankVersions(
      parseResourceList('', 'v1', { resources: ['pods', 'pods/log', 'pods/status', 'podtemplates'].map(entry) }),
    );

    expect(types.map((type) => [type.resource, type.subresources])).toEqual([
      ['pods', ['log', 'status']],
      ['podtemplates', []],
    ]);
  });
});
