import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { basename, dirname } from 'node:path';
import { startGitHttpServer, type GitHttpServer, type GitHttpServerOptions } from '../support/git-http-server.ts';
import { createGitRemote, type GitRemote } from '../support/git-remote.ts';
import {
  configMap,
  eventsAbout,
  gitRepoConfig,
  metricValue,
  ownNamespaceRule,
  secret,
  startStage,
  startWatching,
  statusOf,
  waitForReady,
  type ReverserStage,
} from '../support/reverser-stage.ts';
import { startSshServer, withSshd, type SshServer } from '../support/ssh-server.ts';
import { waitFor } from '../support/wait-for.ts';

const PASSWORD = 'a-password-for-the-host';

describe('repositories', () => {
  let stage: ReverserStage;
  const ends: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(async () => {
    await stage.end();
    await Promise.all(ends.map((end) => end()));
  });

  async function newRemote(): Promise<GitRemote> {
    const remote = await createGitRemote();
    ends.push(() => remote.remove());
    return remote;
  }

  async function serveHttp(
    remote: GitRemote,
    tls: boolean,
    more: Partial<GitHttpServerOptions> = {},
  ): Promise<GitHttpServer> {
    await remote.git('config', 'http.receivepack', 'true');
    const options = { root: dirname(remote.dir), username: 'git', password: PASSWORD, tls, ...more };
    const server = await startGitHttpServer(options);
    ends.push(() => server.stop());
    return server;
  }

  const credentials = { username: 'git', password: PASSWORD };

  it.each([
    ['file', async (remote: GitRemote) => Promise.resolve({ url: remote.url, data: undefined })],
    [
      'http with basic authentication',
      async (remote: GitRemote) => ({
        url: (await serveHttp(remote, false)).url(basename(remote.dir)),
        data: credentials,
      }),
    ],
    [
      'https with a certificate authority of its own',
      async (remote: GitRemote) => {
        const server = await serveHttp(remote, true);
        return { url: server.url(basename(remote.dir)), data: { ...credentials, 'ca.crt': String(server.ca) } };
      },
    ],
    [
      'https with a bearer token',
      async (remote: GitRemote) => {
        const bearerToken = 'a-token.for~the+host/==';
        const server = await serveHttp(remote, true, { bearerToken });
        return { url: server.url(basename(remote.dir)), data: { bearerToken, 'ca.crt': String(server.ca) } };
      },
    ],
  ])('writes the first commit into an empty repository over %s', async (_transport, serve) => {
    const remote = await newRemote();
    await writeFirstCommit(remote, await serve(remote));
  });

  withSshd().describe('over ssh', () => {
    let ssh: SshServer;
    beforeAll(async () => {
      ssh = await startSshServer();
    });
    afterAll(() => ssh.stop());

    it.each([
      ['ssh-key', 'known-hosts'],
      ['identity', 'known_hosts'],
      ['ssh-privatekey', 'known_hosts'],
    ])('writes the first commit into an empty repository, with %s and %s', async (key, hosts) => {
      const remote = await newRemote();
      const data = { [key]: ssh.privateKey, [hosts]: ssh.knownHosts };
      await writeFirstCommit(remote, { url: ssh.url(remote.dir), data });
    });
  });

  interface Served {
    url: string;
    data: Record<string, string> | undefined;
  }

  async function writeFirstCommit(remote: GitRemote, { url, data }: Served): Promise<void> {
    const { cluster } = stage;
    const namespace = await cluster.createNamespace();
    if (data !== undefined) await cluster.admin.create(secret(namespace, 'git', data));
    const spec = { url, ...(data !== undefined && { secretRef: { name: 'git' } }) };
    const repository = gitRepoConfig(namespace, 'repository', spec);
    await cluster.admin.create(repository);
    await cluster.admin.create(ownNamespaceRule(namespace, 'rule', 'repository'));
    await waitForReady(cluster, repository);
    await waitForReady(cluster, ownNamespaceRule(namespace, 'rule', 'repository'));

    await cluster.asUser('alice').create(configMap(namespace, 'app', { a: '1' }));
    const commit = await remote.waitForCommit(`[CREATE] ConfigMap/app in ns/${namespace} by user/alice`);
    expect(commit.author.name).toBe('alice');
    expect(await remote.files()).toEqual([`namespaces/${namespace}/ConfigMap/app.yaml`]);
    const status = await waitFor('the commit in the status', async () => {
      const seen = await statusOf(cluster, repository);
      return seen.lastCommit?.sha === commit.sha && seen.pendingEvents === 0 ? seen : undefined;
    });
    expect(Date.parse(String(status.lastCommit?.time))).not.toBeNaN();
  }

  it('starts a missing branch from the default branch', async () => {
    const remote = await newRemote();
    const base = await remote.commitAsPerson({ files: { 'README.md': 'ours\n' } });
    const { namespace } = await startWatching(stage.cluster, { url: remote.url, branch: 'audit/cluster-a' });
    expect(await remote.tip('audit/cluster-a')).toBeUndefined();
    await stage.cluster.asUser('alice').create(configMap(namespace, 'app', { a: '1' }));
    const log = await waitFor('the branch', async () => {
      const commits = await remote.log('audit/cluster-a');
      return commits.length > 1 ? commits : undefined;
    });
    expect(log.at(-1)?.sha).toBe(base);
    expect(await remote.files('audit/cluster-a')).toEqual(['README.md', `namespaces/${namespace}/ConfigMap/app.yaml`]);
    expect(await remote.tip('main')).toBe(base);
  });

  it('writes below spec.path, as the committer of the spec, with authors in its domain', async () => {
    const remote = await newRemote();
    const { namespace } = await startWatching(stage.cluster, {
      url: remote.url,
      path: 'clusters/a/',
      commit: {
        committer: { name: 'Émile Bot', email: 'bot@example.com' },
        authorEmailDomain: 'people.example.com',
      },
    });
    await stage.cluster.asUser('alice').create(configMap(namespace, 'app', { a: '1' }));
    const commit = await remote.waitForCommit(`[CREATE] ConfigMap/app in ns/${namespace}`);
    expect(commit.author).toMatchObject({ name: 'alice', email: 'alice@people.example.com' });
    expect(commit.committer).toMatchObject({ name: 'Émile Bot', email: 'bot@example.com' });
    expect(await remote.files()).toEqual([`clusters/a/namespaces/${namespace}/ConfigMap/app.yaml`]);

    await stage.cluster.asUser('bob@example.com').patch(configMap(namespace, 'app', {}), { data: { a: '2' } });
    const update = await remote.waitForCommit(`[UPDATE] ConfigMap/app in ns/${namespace} by user/bob@example.com`);
    expect(update.author).toMatchObject({ name: 'bob@example.com', email: 'bob@example.com' });
  });

  it("keeps a person's push in between, and goes on behind it", async () => {
    const remote = await newRemote();
    const { namespace } = await startWatching(stage.cluster, { url: remote.url });
    const alice = stage.cluster.asUser('alice');
    await alice.create(configMap(namespace, 'before', { a: '1' }));
    await remote.waitForCommit('[CREATE] ConfigMap/before');
    const person = await remote.commitAsPerson({ files: { 'docs/runbook.md': 'call somebody\n' } });
    await alice.create(configMap(namespace, 'after', { a: '1' }));
    const after = await remote.waitForCommit('[CREATE] ConfigMap/after');
    const shas = (await remote.log()).map(({ sha }) => sha);
    expect(shas.slice(0, 2)).toEqual([after.sha, person]);
    expect(await remote.read('docs/runbook.md')).toBe('call somebody\n');
    expect(await remote.files()).toEqual([
      'docs/runbook.md',
      ...['after', 'before'].map((name) => `namespaces/${namespace}/ConfigMap/${name}.yaml`),
    ]);
  });

  it("lets a person's newer commit to a file win over an older change, and says so", async () => {
    const { cluster, operator } = stage;
    const remote = await newRemote();
    const { namespace, repository } = await startWatching(cluster, { url: remote.url });
    const alice = cluster.asUser('alice');
    const path = `namespaces/${namespace}/ConfigMap/app.yaml`;
    await alice.create(configMap(namespace, 'app', { a: '1' }));
    await remote.waitForCommit('[CREATE] ConfigMap/app');

    await cluster.admin.patch(repository, { spec: { suspend: true } });
    await waitForReady(cluster, repository, { status: 'False', reason: 'Suspended' });
    await alice.patch(configMap(namespace, 'app', {}), { data: { a: '2' } });
    await alice.create(configMap(namespace, 'other', { a: '1' }));
    await waitFor('the changes to be queued', async () => (await statusOf(cluster, repository)).pendingEvents === 2);
    const date = new Date(Date.now() + 1_000); // Git's times have whole seconds
    const person = await remote.commitAsPerson({ files: { [path]: 'mine: true\n' }, date });
    await cluster.admin.patch(repository, { spec: { suspend: false } });

    await remote.waitForCommit('[CREATE] ConfigMap/other'); // it was queued behind
    expect(await remote.read(path)).toBe('mine: true\n');
    const event = await waitFor('the Event', async () =>
      (await eventsAbout(cluster, repository)).find(({ reason }) => reason === 'StaleEvent'),
    );
    expect(event).toMatchObject({ type: 'Warning' });
    expect(event.note).toContain(`UPDATE of ConfigMap/app in ns/${namespace}`);
    expect(event.note).toContain(person.slice(0, 12));
    const labels = { result: 'dropped', reason: 'stale', repository: `${namespace}/repository` };
    expect(metricValue(await operator.metrics(), 'gitops_reverser_events_processed_total', labels)).toBe(1);
  });

  it("writes a newer change on top of a person's older commit to the same file", async () => {
    const remote = await newRemote();
    const { namespace } = await startWatching(stage.cluster, { url: remote.url });
    const alice = stage.cluster.asUser('alice');
    const path = `namespaces/${namespace}/ConfigMap/app.yaml`;
    await alice.create(configMap(namespace, 'app', { a: '1' }));
    await remote.waitForCommit('[CREATE] ConfigMap/app');
    const date = new Date(Date.now() - 60_000);
    const person = await remote.commitAsPerson({ files: { [path]: 'mine: true\n' }, date });
    await alice.patch(configMap(namespace, 'app', {}), { data: { a: '2' } });
    const update = await remote.waitForCommit('[UPDATE] ConfigMap/app');
    expect((await remote.log()).slice(0, 2).map(({ sha }) => sha)).toEqual([update.sha, person]);
    expect(await remote.read(path)).toMatch(/a: ["']2["']/);
  });

  it('writes for two GitRepoConfigs into one repository, each change once for each, none lost', async () => {
    const { cluster } = stage;
    const remote = await newRemote();
    const namespace = await cluster.createNamespace();
    for (const name of ['one', 'two']) {
      await cluster.admin.create(gitRepoConfig(namespace, name, { url: remote.url, path: name }));
      await cluster.admin.create(ownNamespaceRule(namespace, name, name));
    }
    for (const name of ['one', 'two']) {
      await waitForReady(cluster, gitRepoConfig(namespace, name, {}));
      await waitForReady(cluster, ownNamespaceRule(namespace, name, name));
    }
    const objects = Array.from({ length: 12 }, (_, index) => `app-${index}`);
    await Promise.all(objects.map((name) => cluster.asUser('alice').create(configMap(namespace, name, { a: '1' }))));
    const expected = ['one', 'two']
      .flatMap((folder) => objects.map((name) => `${folder}/namespaces/${namespace}/ConfigMap/${name}.yaml`))
      .sort();
    await waitFor('all files', async () => (await remote.files()).length === expected.length);
    expect(await remote.files()).toEqual(expected);
    expect(await remote.log()).toHaveLength(expected.length);
  });
});
