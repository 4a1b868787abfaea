import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { expectedMessage } from '../support/e2e-message.ts';
import { startStage, uniqueName, waitUntilReady, type Scene, type Stage } from '../support/e2e-stage.ts';
import { installCrd, type ObjectName } from '../support/kube.ts';
import { waitFor } from '../support/wait-for.ts';

const OLD = 'v1alpha1';
const NEW = 'v1';

/** A custom resource that knows `spec.mode` and sets it in its newer version alone; replicas are called workers. */
interface Kind {
  group: string;
  kind: string;
  plural: string;
}

describe('a custom resource', () => {
  let stage: Stage;
  /** By the version in which it is stored. */
  let kinds: Map<string, Kind>;
  beforeAll(async () => {
    stage = await startStage();
    const installed = [OLD, NEW].map(async (storage) => [storage, await install(storage)] as const);
    kinds = new Map(await Promise.all(installed));
  });
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  const install = async (storage: string): Promise<Kind> => {
    const group = `${uniqueName('shop')}.example.com`;
    const kind = { group, kind: 'Pipeline', plural: 'pipelines' };
    await installCrd(stage.cluster.admin, crdOf(kind, storage));
    return kind;
  };
  const pipeline = ({ group, kind }: Kind, scene: Scene, version: string, spec: object): ObjectName => ({
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { namespace: scene.namespace, name: 'build' },
    spec,
  });
  const fileOf = (kind: Kind, scene: Scene): string =>
    `namespaces/${scene.namespace}/Pipeline.${kind.group}/build.yaml`;

  it.each([
    { named: NEW, storage: NEW },
    { named: NEW, storage: OLD },
    { named: OLD, storage: NEW },
  ])(
    'with a default in one of its versions is captured whichever version is written: rule names $named, stored as $storage',
    async ({ named, storage }) => {
      const kind = kinds.get(storage)!;
      const scene = await stage.scene({ resources: [{ apiVersion: `${kind.group}/${named}`, kind: 'Pipeline' }] });
      const { cluster } = stage;
      const user = { alice: cluster.asUser('alice'), bob: cluster.asUser('bob@example.com') };
      const old = pipeline(kind, scene, OLD, { workers: 1 });
      const current = pipeline(kind, scene, NEW, {});
      const created = await user.alice.create(old);
      await scene.waitForCommits(1);
      const text = await scene.remote.read(fileOf(kind, scene));
      // The file is what a reader of that version sees: the API server fills in the default of the stored version.
      const live = await cluster.admin.get<ObjectName & { spec: { mode?: string } }>(pipeline(kind, scene, named, {}));
      expect(text).toContain(`apiVersion: ${kind.group}/${named}\n`);
      expect(text).toContain('  workers: 1\n');
      expect(/^ {2}mode: (.+)$/m.exec(text ?? '')?.[1]).toBe(live.spec.mode);
      if (storage === NEW) expect(live.spec.mode).toBe('fast');
      await user.bob.patch(old, { spec: { workers: 2 } });
      await scene.waitForCommits(2);
      await user.alice.patch(current, { spec: { workers: 3 } });
      await scene.waitForCommits(3);
      await user.bob.patch(old, { spec: { workers: 3 } });
      await user.bob.delete(old);
      const commits = await scene.waitForCommits(4);
      const expected = { resource: 'Pipeline/build', namespace: scene.namespace };
      expect(commits[0]!.message).toBe(
        expectedMessage(commits[0]!, {
          ...expected,
          ...{ operation: 'CREATE', user: 'alice', resourceVersion: created.metadata.resourceVersion },
        }),
      );
      expect(await scene.subjects()).toEqual([
        '[CREATE] Pipeline/build by alice',
        '[UPDATE] Pipeline/build by bob@example.com',
        '[UPDATE] Pipeline/build by alice',
        '[DELETE] Pipeline/build by bob@example.com',
      ]);
      expect(commits[3]!.files).toEqual([{ status: 'D', path: fileOf(kind, scene) }]);
    },
  );

  it('is scaled by who scaled it, whatever its field of replicas is called', async () => {
    const kind = kinds.get(NEW)!;
    const scene = await stage.scene({ resources: [{ apiVersion: `${kind.group}/v1`, kind: 'Pipeline' }] });
    const build = pipeline(kind, scene, NEW, { workers: 1 });
    await stage.cluster.admin.create(build);
    await scene.waitForCommits(1);
    await stage.cluster.asUser('alice').scale(build, 4);
    await scene.waitForCommits(2);
    expect(await scene.subjects()).toEqual(['[CREATE] Pipeline/build by admin', '[UPDATE] Pipeline/build by alice']);
    expect(await scene.remote.read(fileOf(kind, scene))).toContain('  workers: 4\n');
  });

  it('that is cluster-scoped is scaled by who scaled it, too', async () => {
    const kind = { group: `${uniqueName('shop')}.example.com`, kind: 'Pool', plural: 'pools' };
    await installCrd(stage.cluster.admin, crdOf(kind, NEW, 'Cluster'));
    const rule = { namespaceSelector: undefined }; // which would leave out what has no namespace
    const scene = await stage.scene({ resources: [{ apiVersion: `${kind.group}/v1`, kind: 'Pool' }], rule });
    const pool = { apiVersion: `${kind.group}/v1`, kind: 'Pool', metadata: { name: 'build' }, spec: { workers: 1 } };
    await stage.cluster.admin.create(pool);
    await scene.waitForCommits(1);
    await stage.cluster.asUser('alice').scale(pool, 4);
    await stage.cluster.asUser('bob@example.com').patch(pool, { spec: { workers: 2 } });
    await scene.waitForCommits(3);
    expect(await scene.subjects()).toEqual([
      '[CREATE] Pool/build by admin',
      '[UPDATE] Pool/build by alice',
      '[UPDATE] Pool/build by bob@example.com',
    ]);
  });

  it('of a kind that is installed later is captured by a wildcard rule', async () => {
    const scene = await stage.scene({ resources: [{ apiVersion: '*', kind: '*' }] });
    const kind = await install(NEW);
    await waitFor('the kind to be matched', async () => {
      const { status } = await waitUntilReady(stage.cluster, scene.rule);
      return status?.matchedResources?.includes(`${kind.group}/v1/pipelines`);
    });
    await stage.cluster.asUser('alice').create(pipeline(kind, scene, NEW, {}));
    await scene.remote.waitForCommit('[CREATE] Pipeline/build');
  });

  it('that no file can hold is left out with its reason, and is captured again by its author once a file can', async () => {
    const kind = kinds.get(NEW)!;
    const scene = await stage.scene({ resources: [{ apiVersion: `${kind.group}/v1`, kind: 'Pipeline' }] });
    const users = { alice: stage.cluster.asUser('alice'), bob: stage.cluster.asUser('bob@example.com') };
    let notes: object = {};
    for (let level = 0; level < 600; level++) notes = { deeper: notes };
    const build = pipeline(kind, scene, NEW, { workers: 1 });
    await users.alice.create(build);
    await users.alice.patch(build, { spec: { notes } });
    await stage.operator.waitForLog((entry) => entry['msg'] === 'an object can not be rendered');
    await users.bob.patch(build, { spec: { notes: null, workers: 2 } });
    await scene.waitForCommits(2);
    expect(await scene.subjects()).toEqual([
      '[CREATE] Pipeline/build by alice',
      '[UPDATE] Pipeline/build by bob@example.com',
    ]);
    expect(await stage.operator.metrics()).toContain('reason="unrenderable"');
    expect(stage.operator.log.filter((entry) => entry['msg'] === 'job failed')).toEqual([]);
  });

  it('keeps what its schema does not say the server writes, and loses its status', async () => {
    const kind = kinds.get(NEW)!;
    const scene = await stage.scene({ resources: [{ apiVersion: `${kind.group}/v1`, kind: 'Pipeline' }] });
    const build = pipeline(kind, scene, NEW, { workers: 1, script: 'line one\nline two\n', flag: 'yes' });
    await stage.cluster.admin.create(build);
    await stage.cluster.admin.patch(build, { status: { phase: 'Done' } }, { subresource: 'status' });
    await stage.cluster.admin.patch(build, { spec: { flag: 'no' } });
    await scene.waitForCommits(2);
    expect(await scene.remote.read(fileOf(kind, scene))).toBe(
      [
        `apiVersion: ${kind.group}/v1`,
        'kind: Pipeline',
        'metadata:',
        '  name: build',
        `  namespace: ${scene.namespace}`,
        'spec:',
        '  flag: "no"',
        '  mode: fast',
        '  script: |',
        '    line one',
        '    line two',
        '  workers: 1',
        '',
      ].join('\n'),
    );
  });
});

function crdOf({ group, kind, plural }: Kind, storage: string, scope = 'Namespaced'): ObjectName {
  const notes = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const version = (name: string, mode: object) => ({
    name,
    served: true,
    storage: name === storage,
    subresources: { status: {}, scale: { specReplicasPath: '.spec.workers', statusReplicasPath: '.status.workers' } },
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            default: {},
            properties: {
              workers: { type: 'integer' },
              script: { type: 'string' },
              flag: { type: 'string' },
              notes,
              mode,
            },
          },
          status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [version(OLD, { type: 'string' }), version(NEW, { type: 'string', default: 'fast' })],
    },
  };
}
