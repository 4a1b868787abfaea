import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startStage, uniqueName, type Scene, type Stage } from '../support/e2e-stage.ts';
import { installCrd, type ObjectName } from '../support/kube.ts';

/** More than the 2^53 that a double holds exactly: JavaScript alone would write 1234567890123456800. */
const LARGE = '1234567890123456789';
const NEXT = '1234567890123456790';

describe('an integer of 64 bits', () => {
  let stage: Stage;
  const group = `${uniqueName('numbers')}.example.com`;
  beforeAll(async () => {
    stage = await startStage();
    await installCrd(stage.cluster.admin, CRD);
  });
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  const CRD: ObjectName = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `counters.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Counter', plural: 'counters', singular: 'counter', listKind: 'CounterList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: { type: 'object', properties: { limit: { type: 'integer', format: 'int64' } } },
              },
            },
          },
        },
      ],
    },
  };
  const counters = (namespace: string, name = ''): string =>
    `/apis/${group}/v1/namespaces/${namespace}/counters${name}`;
  const counter = (namespace: string, limit: string): string =>
    `{"apiVersion":"${group}/v1","kind":"Counter","metadata":{"name":"c","namespace":"${namespace}"},"spec":{"limit":${limit}}}`;
  const create = (namespace: string, limit: string): Promise<unknown> =>
    stage.cluster
      .asUser('alice')
      .client.call({ method: 'POST', path: counters(namespace), body: counter(namespace, limit) });
  const setLimit = (scene: Scene, user: string, limit: string): Promise<unknown> =>
    stage.cluster.asUser(user).client.call({
      method: 'PATCH',
      path: counters(scene.namespace, '/c'),
      body: `{"spec":{"limit":${limit}}}`,
      contentType: 'application/merge-patch+json',
    });
  const fileOf = (scene: Scene): string => `namespaces/${scene.namespace}/Counter.${group}/c.yaml`;
  const resources = [{ apiVersion: `${group}/v1`, kind: 'Counter' }];

  it('keeps every digit, and the next number is another state', async () => {
    const scene = await stage.scene({ resources });
    await create(scene.namespace, LARGE);
    await scene.waitForCommits(1);
    expect(await scene.remote.read(fileOf(scene))).toContain(`\nspec:\n  limit: ${LARGE}\n`);
    await setLimit(scene, 'bob@example.com', NEXT);
    await scene.waitForCommits(2);
    expect(await scene.remote.read(fileOf(scene))).toContain(`\nspec:\n  limit: ${NEXT}\n`);
    expect(await scene.subjects()).toEqual(['[CREATE] Counter/c by alice', '[UPDATE] Counter/c by bob@example.com']);
  });

  it('keeps every digit where the object was there before its rule, and from its file to the cluster', async () => {
    const namespace = await stage.cluster.createNamespace({ before: 'the-rule' });
    await create(namespace, LARGE);
    const rule = { namespaceSelector: { matchLabels: { before: 'the-rule' } } };
    const scene = await stage.scene({ resources, rule });
    const annotations = { 'configbutler.ai/resync-requested-at': 'now' };
    await stage.cluster.admin.patch(scene.repository, { metadata: { annotations } });
    await scene.waitForCommits(1);
    const text = await scene.remote.read(`namespaces/${namespace}/Counter.${group}/c.yaml`);
    expect(text).toContain(`\nspec:\n  limit: ${LARGE}\n`);
    await stage.cluster.kubectl(['delete', `counters.${group}`, 'c', '-n', namespace]);
    await stage.cluster.kubectl(['create', '-f', '-'], { input: text });
    const live = await stage.cluster.kubectl(['get', '--raw', counters(namespace, '/c')]);
    expect(live).toContain(`"limit":${LARGE}`);
  });
});
