import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OPERATIONS } from '#domain';
import { buildWebhookConfiguration } from './build-webhook-configuration.ts';
import type { SelectedResource, WebhookSettings } from './build-webhook-configuration.ts';

interface Webhook {
  name: string;
  rules: { apiGroups: string[]; apiVersions: string[]; resources: string[]; operations: string[]; scope: string }[];
  clientConfig: Record<string, unknown>;
  [field: string]: unknown;
}

function resource(name: string, change: Partial<SelectedResource> = {}): SelectedResource {
  return {
    group: '',
    version: 'v1',
    resource: name,
    operations: OPERATIONS,
    withScale: false,
    namespaced: true,
    ...change,
  };
}

function build(
  selected: SelectedResource[],
  change: Partial<WebhookSettings> = {},
): { digest: string; webhooks: Webhook[]; text: string } {
  const client = { service: { namespace: 'own', name: 'svc' } };
  const { configuration, digest } = buildWebhookConfiguration({
    instanceName: 'rev',
    selected,
    client,
    caBundle: 'PEM',
    podNamespace: 'own',
    ...change,
  });
  return { digest, webhooks: configuration['webhooks'] as Webhook[], text: JSON.stringify(configuration) };
}

describe('buildWebhookConfiguration', () => {
  it('has no webhooks where nothing is selected', () => {
    expect(build([]).webhooks).toEqual([]);
  });

  it('never blocks anybody, and never calls for its own namespace or node leases', () => {
    const { webhooks, digest } = build([resource('configmaps')]);

    expect(webhooks[0]).toMatchObject({
      name: 'capture.rev.configbutler.ai',
      failurePolicy: 'Ignore',
      matchPolicy: 'Equivalent',
      sideEffects: 'NoneOnDryRun',
      timeoutSeconds: 2,
      admissionReviewVersions: ['v1'],
      namespaceSelector: {
        matchExpressions: [
          { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-node-lease', 'own'] },
        ],
      },
      clientConfig: {
        service: { namespace: 'own', name: 'svc', port: 443, path: `/v1/admission/${digest}` },
        caBundle: 'UEVN',
      },
    });
    expect(webhooks[1]).toMatchObject({
      name: 'probe.rev.configbutler.ai',
      failurePolicy: 'Ignore',
      sideEffects: 'None',
    });
  });

  it('groups resources with the same operations, and asks for scale only on UPDATE', () => {
    const apps = { group: 'apps', withScale: true };
    const { webhooks } = build([
      resource('secrets'),
      resource('configmaps'),
      resource('deployments', apps),
      resource('statefulsets', { ...apps, operations: ['DELETE'] }),
      resource('namespaces', { namespaced: false }),
    ]);

    const rules = webhooks[0]?.rules.map((rule) => [
      rule.apiGroups[0],
      rule.resources.join(),
      rule.operations.join(),
      rule.scope,
    ]);
    expect(rules).toEqual(
      expect.arrayContaining([
        ['', 'configmaps,secrets', 'CREATE,UPDATE,DELETE', 'Namespaced'],
        ['', 'namespaces', 'CREATE,UPDATE,DELETE', 'Cluster'],
        ['apps', 'deployments', 'CREATE,UPDATE,DELETE', 'Namespaced'],
        ['apps', 'deployments/scale', 'UPDATE', 'Namespaced'],
        ['apps', 'statefulsets', 'DELETE', 'Namespaced'],
      ]),
    );
    expect(rules).toHaveLength(5);
  });

  it('registers a URL without its last slash', () => {
    const { webhooks, digest } = build([resource('configmaps')], { client: { url: 'https://127.0.0.1:9443/' } });

    expect(webhooks[0]?.clientConfig['url']).toBe(`https://127.0.0.1:9443/v1/admission/${digest}`);
  });

  it('changes its digest with what is selected and with the CA, and with nothing else', () => {
    const { digest } = build([resource('configmaps')]);

    expect(build([resource('secrets')]).digest).not.toBe(digest);
    expect(build([resource('configmaps')], { caBundle: 'other' }).digest).not.toBe(digest);
    expect(build([resource('configmaps'), resource('configmaps', { operations: ['UPDATE'] })]).digest).toBe(digest);
  });

  it('is the same in whatever order resources and operations come', () => {
    const selected = fc.uniqueArray(
      fc.record({
        group: fc.constantFrom('', 'apps', 'shop'),
        version: fc.constant('v1'),
        resource: fc.constantFrom('a', 'b', 'c'),
        operations: fc.subarray([...OPERATIONS]),
        withScale: fc.boolean(),
        namespaced: fc.constant(true),
      }),
    );
    fc.assert(
      fc.property(selected, (resources) => {
        const turned = resources.toReversed().map((entry) => ({ ...entry, operations: entry.operations.toReversed() }));
        expect(build(turned).text).toBe(build(resources).text);
      }),
    );
  });
});
