import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:https';
import { parse } from 'yaml';
import { createGitRemote, type GitRemote } from '../support/git-remote.ts';
import {
  conditionOf,
  configMap,
  eventsAbout,
  gitRepoConfig,
  metricValue,
  startStage,
  startWatching,
  waitForReady,
  watchRule,
  type ReverserStage,
} from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';
import type { ObjectName } from '../support/kube.ts';

const HOSTILE_USER = 'mallory\nSigned-off-by: The King <king@example.com>';

describe('bad input', () => {
  let stage: ReverserStage;
  let remote: GitRemote;
  let namespace: string;

  beforeAll(async () => {
    [stage, remote] = await Promise.all([startStage({ users: [HOSTILE_USER] }), createGitRemote()]);
    ({ namespace } = await startWatching(stage.cluster, { url: remote.url }));
  });
  afterAll(async () => {
    await stage.end();
    await remote.remove();
  });

  describe('in a rule', () => {
    it('is refused by kubectl where the schema can tell', async () => {
      const rule = watchRule(namespace, 'broken', { gitRepoConfigRef: 'repository', operations: ['PATCH'] });
      const result = await stage.cluster.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(rule) });
      expect(result.code).toBe(1);
      expect(result.stderr).toMatch(/operations.*PATCH/);
    });

    it.each([
      {
        name: 'label-key',
        spec: { gitRepoConfigRef: 'repository', labelSelector: { matchLabels: { 'a..b/name': 'x' } } },
        reason: 'InvalidSpec',
        advice: /labelSelector.*a\.\.b\/name.*no label key, write name or prefix\/name/,
      },
      {
        name: 'no-repository',
        spec: { gitRepoConfigRef: 'nowhere' },
        reason: 'GitRepoConfigNotFound',
        advice: /The GitRepoConfig nowhere does not exist.*create it, or correct spec\.gitRepoConfigRef/,
      },
      {
        name: 'no-such-kind',
        spec: { gitRepoConfigRef: 'repository', resources: [{ apiVersion: 'example.com/v1', kind: 'Unicorn' }] },
        reason: 'NoResourcesMatched',
        advice: /example\.com\/v1.*Unicorn.*Correct the name, or install what serves it/,
      },
    ])('that the schema can not catch ($name) shows in its condition and an Event', async ({ name, ...given }) => {
      const { cluster } = stage;
      const rule = watchRule(namespace, name, given.spec);
      await cluster.admin.create(rule);
      const status = await waitForReady(cluster, rule, { status: 'False', reason: given.reason });
      expect(conditionOf(status, 'Ready')?.message).toMatch(given.advice);
      expect(conditionOf(status, 'Stalled')?.status).toBe('True');
      const event = await waitFor('the Event', async () =>
        (await eventsAbout(cluster, rule)).find(({ reason }) => reason === given.reason),
      );
      expect(event.note).toMatch(given.advice);
      await cluster.admin.delete(rule);
    });

    it('harms no other rule', async () => {
      const broken = watchRule(namespace, 'broken-too', { gitRepoConfigRef: 'nowhere' });
      await stage.cluster.admin.create(broken);
      await waitForReady(stage.cluster, broken, { status: 'False', reason: 'GitRepoConfigNotFound' });
      await stage.cluster.asUser('alice').create(configMap(namespace, 'beside-a-broken-rule', { a: '1' }));
      await remote.waitForCommit(`[CREATE] ConfigMap/beside-a-broken-rule in ns/${namespace} by user/alice`);
    });
  });

  describe('in an object', () => {
    it('of 1 MiB and more is written like any other', async () => {
      const { cluster } = stage;
      const data = { text: 'x'.repeat(1_000_000) }; // of a ConfigMap, the API server takes 1 MiB at most
      await cluster.asUser('alice').create(configMap(namespace, 'large', data));
      await remote.waitForCommit(`[CREATE] ConfigMap/large in ns/${namespace} by user/alice`);
      expect((await remote.read(`namespaces/${namespace}/ConfigMap/large.yaml`))?.length).toBeGreaterThan(1_000_000);
    });

    it('of 1.4 MiB is written like any other', async () => {
      const { cluster } = stage;
      const own = await cluster.createNamespace();
      const resources = [{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' }];
      const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': own } };
      await cluster.admin.create(gitRepoConfig(own, 'repository', { url: remote.url }));
      const rule = watchRule(own, 'rule', { gitRepoConfigRef: 'repository', resources, namespaceSelector });
      await cluster.admin.create(rule);
      await waitForReady(cluster, rule);
      const name = `${'n'.repeat(190)}`;
      const resourceNames = Array.from({ length: 7_450 }, (_, index) => `${name}${String(index).padStart(6, '0')}`);
      const role: ObjectName = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { namespace: own, name: 'huge' },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'], resourceNames }],
      };
      const size = 1.4 * 1024 * 1024; // etcd takes 1.5 MiB
      expect(JSON.stringify(role).length).toBeGreaterThan(size);
      await cluster.asUser('alice').create(role);
      await remote.waitForCommit(`[CREATE] Role/huge in ns/${own} by user/alice`);
      const file = await remote.read(`namespaces/${own}/Role/huge.yaml`);
      expect(file?.length).toBeGreaterThan(size);
      expect((parse(String(file)) as { rules: unknown }).rules).toEqual(role['rules']);
    });

    it('of 1 MB that admission escapes to 11 MiB is written, with its author', async () => {
      const alice = stage.cluster.asUser('alice');
      const object = configMap(namespace, 'escaped', { html: '<'.repeat(1_000_000) });
      await alice.create(object);
      await remote.waitForCommit(`[CREATE] ConfigMap/escaped in ns/${namespace} by user/alice`);
      await alice.patch(object, { metadata: { labels: { changed: 'yes' } } });
      await remote.waitForCommit(`[UPDATE] ConfigMap/escaped in ns/${namespace} by user/alice`);
      expect(await remote.read(`namespaces/${namespace}/ConfigMap/escaped.yaml`)).toContain('<'.repeat(1_000));
    });

    it.each([
      ['unicode in every place that takes it', 'unicode', { 'schlüssel-wert': 'über\n日本語\n🙂\n' }],
      ['text that looks like YAML', 'yaml', { a: '---\n- !!js/function "x"\n', b: '#', c: '*a', d: '!tag', e: 'yes' }],
      ['control characters', 'control', { a: 'bell\u0007', b: 'a\tb\r\nc', c: '\u2028\u0085' }],
    ])('with %s comes back unchanged from Git', async (_what, name, values) => {
      const data = Object.fromEntries(Object.entries(values).map(([, value], index) => [`key-${index}`, value]));
      const annotations = { 'example.com/note': Object.values(values).join('|') };
      const object = configMap(namespace, name, data);
      object.metadata.annotations = annotations;
      await stage.cluster.asUser('alice').create(object);
      await remote.waitForCommit(`[CREATE] ConfigMap/${name} in ns/${namespace}`);
      const file = await remote.read(`namespaces/${namespace}/ConfigMap/${name}.yaml`);
      expect(parse(String(file))).toMatchObject({ data, metadata: { name, annotations } });
    });
  });

  describe('in a call', () => {
    it('that is no AdmissionReview is refused and counted', async () => {
      const { operator } = stage;
      const dropped = async (): Promise<number> =>
        metricValue(await operator.metrics(), 'gitops_reverser_events_processed_total', {
          ...{ operation: 'UNKNOWN', result: 'dropped', reason: 'not-a-review' },
        });
      const before = await dropped();
      const status = await new Promise((resolve, reject) => {
        const url = `${operator.webhookUrl}/v1/admission/any`;
        const call = request(url, { method: 'POST', rejectUnauthorized: false }, (response) => {
          resolve(response.resume().statusCode);
        });
        call.on('error', reject).end('{"kind":"Pod"}');
      });
      expect(status).toBe(400);
      expect(await dropped()).toBe(before + 1);
    });
  });

  describe('in a name', () => {
    const roleNames = [
      'system:foo:..',
      '..foo',
      'a b',
      '.git',
      '-rf',
      'ä:b',
      'CON',
      'a\\b',
      'line\nbreak',
      'x'.repeat(240),
    ];

    it('never leaves its folder, whatever the API server takes as a name', async () => {
      const { cluster } = stage;
      const own = await cluster.createNamespace();
      const target = await createGitRemote();
      try {
        const resources = [{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' }];
        const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': own } };
        await cluster.admin.create(gitRepoConfig(own, 'repository', { url: target.url }));
        const rule = watchRule(own, 'rule', { gitRepoConfigRef: 'repository', resources, namespaceSelector });
        await cluster.admin.create(rule);
        await waitForReady(cluster, rule);
        const apiVersion = 'rbac.authorization.k8s.io/v1';
        for (const name of [...roleNames, 'marker']) {
          await cluster.asUser('alice').create({ apiVersion, kind: 'Role', metadata: { namespace: own, name } });
        }
        await target.waitForCommit('[CREATE] Role/marker');
        const files = await target.files();
        const prefix = `namespaces/${own}/Role/`;
        expect(files.filter((file) => !/^namespaces\/[a-z0-9-]+\/Role\/[A-Za-z0-9._%-]+\.yaml$/.test(file))).toEqual(
          [],
        );
        expect(files).toHaveLength(roleNames.length + 1);
        expect(files).toContain(`${prefix}system%3Afoo%3A...yaml`);
        for (const { message } of await target.log()) {
          expect(message.split('\n').filter((line) => /^Event-Id: /.test(line))).toHaveLength(1);
        }
      } finally {
        await target.remove();
      }
    });

    it('of the longest possible length is written', async () => {
      const name = Array.from({ length: 4 }, () => 'a'.repeat(62))
        .join('.')
        .padEnd(253, 'b');
      await stage.cluster.asUser('alice').create(configMap(namespace, name, { a: '1' }));
      await remote.waitForCommit(name);
      const files = (await remote.files()).filter((file) => file.includes('a'.repeat(62)));
      expect(files).toHaveLength(1);
      expect(Buffer.byteLength(String(files[0]?.split('/').at(-1)))).toBeLessThanOrEqual(255);
    });

    it('of a user adds no line and no trailer to a commit', async () => {
      await stage.cluster.asUser(HOSTILE_USER).create(configMap(namespace, 'by-mallory', { a: '1' }));
      const commit = await remote.waitForCommit('ConfigMap/by-mallory');
      const lines = commit.message.trimEnd().split('\n');
      expect(lines.filter((line) => /^[\w-]+: /.test(line)).map((line) => line.split(':')[0])).toEqual(['Event-Id']);
      expect(commit.author.name).not.toMatch(/[\n<>]/);
    });
  });
});
