import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { dirname, basename } from 'node:path';
import { freePort } from '../../tools/lib/free-port.ts';
import { startGitHttpServer, type GitHttpServer } from '../support/git-http-server.ts';
import { createGitRemote, type GitRemote } from '../support/git-remote.ts';
import {
  conditionOf,
  configMap,
  eventsAbout,
  gitRepoConfig,
  ownNamespaceRule,
  secret,
  startStage,
  waitForReady,
  type ReverserStage,
} from '../support/reverser-stage.ts';
import { startSshServer, withSshd, type SshServer } from '../support/ssh-server.ts';
import { waitFor } from '../support/wait-for.ts';

const PASSWORD = 'pässword-that-nobody-may-read';
const WRONG_TOKEN = 'wrong-token-that-nobody-may-read';
const PEM = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const;
const WRONG_PASSWORD = 'wrong-password-that-nobody-may-read';

describe('credentials of a repository', () => {
  let stage: ReverserStage;
  let remote: GitRemote;
  let http: GitHttpServer;
  let readOnly: GitHttpServer;
  let https: GitHttpServer;
  let tokens: GitHttpServer;
  let namespace: string;
  /** What was said, and what may not be in it. */
  const texts: string[] = [];
  const secrets = [PASSWORD, WRONG_PASSWORD, WRONG_TOKEN, 'no key at all'];

  beforeAll(async () => {
    [stage, remote] = await Promise.all([startStage(), createGitRemote()]);
    await remote.git('config', 'http.receivepack', 'true');
    const options = { root: dirname(remote.dir), username: 'writer', password: PASSWORD };
    http = await startGitHttpServer(options);
    readOnly = await startGitHttpServer(options);
    readOnly.setFault('read-only');
    https = await startGitHttpServer({ ...options, tls: true });
    tokens = await startGitHttpServer({ ...options, bearerToken: 'the-right-token' });
    namespace = await stage.cluster.createNamespace();
  });
  afterAll(async () => {
    await stage.end();
    await Promise.all([http.stop(), readOnly.stop(), https.stop(), tokens.stop(), remote.remove()]);
  });

  const basic = { username: 'writer', password: PASSWORD };
  const repo = (): string => basename(remote.dir);
  const sshUrl = 'git@git.invalid:team/audit.git';
  const sshKey = generateKeyPairSync('ed25519', PEM).privateKey;
  secrets.push(keyLineOf(sshKey));
  const knownHosts = `git.invalid ssh-ed25519 ${Buffer.alloc(51).toString('base64')}`;
  const passphrase = (): string =>
    generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: PEM.publicKeyEncoding,
      privateKeyEncoding: { ...PEM.privateKeyEncoding, cipher: 'aes-256-cbc', passphrase: 'secret' },
    }).privateKey;

  interface Case {
    name: string;
    url: () => string | Promise<string>;
    /** `undefined`: the repository names no Secret; `null`: it names one that does not exist. */
    data: () => Record<string, string> | undefined | null;
    reason: string;
    condition: 'Stalled' | 'Reconciling';
    /** What the message tells its reader to do. */
    advice: RegExp;
  }

  const cases: Case[] = [
    {
      name: 'wrong-password',
      url: () => http.url(repo()),
      data: () => ({ ...basic, password: WRONG_PASSWORD }),
      reason: 'AuthenticationFailed',
      condition: 'Stalled',
      advice: /replace the key, password or token/,
    },
    {
      name: 'wrong-bearer-token',
      url: () => tokens.url(repo()),
      data: () => ({ bearerToken: WRONG_TOKEN }),
      reason: 'AuthenticationFailed',
      condition: 'Stalled',
      advice: /replace the key, password or token/,
    },
    {
      name: 'no-credentials',
      url: () => http.url(repo()),
      data: () => undefined,
      reason: 'CredentialsMissing',
      condition: 'Stalled',
      advice: /set spec\.secretRef to a Secret with username and password/,
    },
    {
      name: 'unknown-host',
      url: () => 'https://git.invalid/team/audit.git',
      data: () => basic,
      reason: 'HostUnknown',
      condition: 'Reconciling',
      advice: /correct spec\.url, or check DNS/,
    },
    {
      name: 'unreachable-host',
      url: async () => `http://127.0.0.1:${await freePort()}/audit.git`,
      data: () => basic,
      reason: 'HostUnreachable',
      condition: 'Reconciling',
      advice: /check host, port and network policies/,
    },
    {
      name: 'missing-repository',
      url: () => http.url('nobody-made-this.git'),
      data: () => basic,
      reason: 'RepositoryNotFound',
      condition: 'Stalled',
      advice: /correct spec\.url, create the repository/,
    },
    {
      name: 'missing-repository-file',
      url: () => 'file:///nobody/made/this.git',
      data: () => undefined,
      reason: 'RepositoryNotFound',
      condition: 'Stalled',
      advice: /correct spec\.url, create the repository/,
    },
    {
      name: 'missing-secret',
      url: () => http.url(repo()),
      data: () => null,
      reason: 'SecretNotFound',
      condition: 'Stalled',
      advice: /create it there, or correct the name/,
    },
    {
      name: 'missing-key',
      url: () => sshUrl,
      data: () => ({ 'known-hosts': knownHosts }),
      reason: 'CredentialsIncomplete',
      condition: 'Stalled',
      advice: /lacks the key ssh-key/,
    },
    {
      name: 'missing-password',
      url: () => http.url(repo()),
      data: () => ({ username: 'writer' }),
      reason: 'CredentialsIncomplete',
      condition: 'Stalled',
      advice: /lacks the key password/,
    },
    {
      name: 'unparsable-key',
      url: () => sshUrl,
      data: () => ({ 'known-hosts': knownHosts, 'ssh-key': 'no key at all, and nobody may read it' }),
      reason: 'CredentialsInvalid',
      condition: 'Stalled',
      advice: /no private key in OpenSSH or PEM form/,
    },
    {
      name: 'key-with-passphrase',
      url: () => sshUrl,
      data: () => ({ 'known-hosts': knownHosts, 'ssh-key': passphrase() }),
      reason: 'CredentialsInvalid',
      condition: 'Stalled',
      advice: /has a passphrase.*ssh-keygen -p/,
    },
    {
      name: 'missing-known-hosts',
      url: () => sshUrl,
      data: () => ({ 'ssh-key': sshKey }),
      reason: 'KnownHostsMissing',
      condition: 'Stalled',
      advice: /ssh-keyscan <host>/,
    },
    {
      name: 'untrusted-certificate',
      url: () => https.url(repo()),
      data: () => basic,
      reason: 'TlsUntrusted',
      condition: 'Stalled',
      advice: /key ca\.crt of the Secret/,
    },
    {
      name: 'no-right-to-push',
      url: () => readOnly.url(repo()),
      data: () => basic,
      reason: 'PushNotPermitted',
      condition: 'Stalled',
      advice: /give the key or account write access/,
    },
  ];

  it.each(cases)('with $name the repository says $reason and what to do', expectReason);

  async function expectReason({ name, ...given }: Case): Promise<void> {
    const { cluster } = stage;
    const data = given.data();
    const url = await given.url();
    if (data) await cluster.admin.create(secret(namespace, name, data));
    const spec = { url, ...(data !== undefined && { secretRef: { name } }) };
    const repository = gitRepoConfig(namespace, name, spec);
    await cluster.admin.create(repository);

    const status = await waitForReady(cluster, repository, { status: 'False', reason: given.reason });
    const ready = conditionOf(status, 'Ready');
    expect(ready?.message).toMatch(given.advice);
    expect(conditionOf(status, given.condition)).toMatchObject({ status: 'True', reason: given.reason });
    const other = given.condition === 'Stalled' ? 'Reconciling' : 'Stalled';
    expect(conditionOf(status, other)?.status).not.toBe('True');
    const event = await waitFor(`an Event with the reason ${given.reason}`, async () =>
      (await eventsAbout(cluster, repository)).find(({ reason }) => reason === given.reason),
    );
    expect(event).toMatchObject({ type: 'Warning' });
    expect(event.note).toMatch(given.advice);
    texts.push(JSON.stringify(status), JSON.stringify(event));
    await cluster.admin.delete(repository);
  }

  withSshd().describe('over ssh', () => {
    let ssh: SshServer;
    beforeAll(async () => {
      ssh = await startSshServer();
    });
    afterAll(() => ssh.stop());
    const right = (): Record<string, string> => ({ 'ssh-key': ssh.privateKey, 'known-hosts': ssh.knownHosts });

    it.each<Case>([
      {
        name: 'wrong-ssh-key',
        url: () => ssh.url(remote.dir),
        data: () => ({ ...right(), 'ssh-key': ssh.strangersKey }),
        reason: 'AuthenticationFailed',
        condition: 'Stalled',
        advice: /register the key with the host/,
      },
      {
        name: 'missing-repository-ssh',
        url: () => ssh.url('/nobody/made/this.git'),
        data: right,
        reason: 'RepositoryNotFound',
        condition: 'Stalled',
        advice: /correct spec\.url, create the repository/,
      },
      {
        name: 'wrong-host-key',
        url: () => ssh.url(remote.dir),
        data: () => ({ ...right(), 'known-hosts': ssh.wrongKnownHosts }),
        reason: 'HostKeyMismatch',
        condition: 'Stalled',
        advice: /check the new one with its operator and replace the entry/,
      },
      {
        name: 'unknown-host-key',
        url: () => ssh.url(remote.dir),
        data: () => ({ ...right(), 'known-hosts': ssh.knownHosts.replace('127.0.0.1', '127.0.0.9') }),
        reason: 'HostKeyUnknown',
        condition: 'Stalled',
        advice: /ssh-keyscan <host>/,
      },
    ])('with $name the repository says $reason and what to do', async (given) => {
      secrets.push(...[ssh.privateKey, ssh.strangersKey].map(keyLineOf));
      await expectReason(given);
    });
  });

  it('heals within seconds when the Secret is corrected, and writes what was queued in order', async () => {
    const { cluster, operator } = stage;
    const own = await cluster.createNamespace();
    await cluster.admin.create(secret(own, 'git', { ...basic, password: WRONG_PASSWORD }));
    const repository = gitRepoConfig(own, 'healed', { url: http.url(repo()), secretRef: { name: 'git' } });
    const rule = ownNamespaceRule(own, 'rule', 'healed');
    await cluster.admin.create(repository);
    await cluster.admin.create(rule);
    await waitForReady(cluster, rule);
    const stalled = await waitForReady(cluster, repository, { status: 'False', reason: 'AuthenticationFailed' });
    texts.push(JSON.stringify(stalled));

    // Of one object: what becomes of several is decided side by side.
    const steps = ['first', 'second', 'third', 'fourth'];
    const alice = cluster.asUser('alice');
    const object = configMap(own, 'app', { at: 'nothing yet' });
    await alice.create(object);
    for (const at of steps) await alice.patch(object, { data: { at } });
    await waitFor('the changes to be queued', async () => {
      const { pendingEvents } = await waitForReady(cluster, repository, { status: 'False' });
      return pendingEvents === steps.length + 1;
    });

    const corrected = Date.now();
    await cluster.admin.patch(secret(own, 'git', {}), { stringData: { password: PASSWORD } });
    const path = `namespaces/${own}/ConfigMap/app.yaml`;
    const written = async (): Promise<boolean> => (await remote.read(path))?.includes('at: fourth') === true;
    await waitFor('the last of them to be written', written, { timeoutMs: 5_000 });
    expect(Date.now() - corrected).toBeLessThan(5_000);
    const commits = (await remote.log()).filter(({ message }) => message.includes(`ns/${own}`)).reverse();
    const contents = await Promise.all(commits.map(({ sha }) => remote.git('show', `${sha}:${path}`)));
    expect(contents.map((text) => /at: (.+)/.exec(text)?.[1])).toEqual(['nothing yet', ...steps]);
    await waitForReady(cluster, repository);
    const healed = await waitFor('an Event that says it is ready again', async () =>
      (await eventsAbout(cluster, repository)).find(({ reason }) => reason === 'Ready'),
    );
    expect(healed.type).toBe('Normal');
    expect(await operator.isReady()).toBe(true);
  });

  it('heals when the missing Secret appears', async () => {
    const { cluster } = stage;
    const own = await cluster.createNamespace();
    const repository = gitRepoConfig(own, 'late', { url: http.url(repo()), secretRef: { name: 'late' } });
    await cluster.admin.create(repository);
    await waitForReady(cluster, repository, { status: 'False', reason: 'SecretNotFound' });
    await cluster.admin.create(secret(own, 'late', basic));
    await waitForReady(cluster, repository, { status: 'True' }, { timeoutMs: 5_000 });
    await cluster.admin.delete(secret(own, 'late', {}));
    await waitForReady(cluster, repository, { status: 'False', reason: 'SecretNotFound' }, { timeoutMs: 5_000 });
  });

  it('says no secret in any status, Event or log line', async () => {
    const said = [...texts, stage.operator.tail(500), JSON.stringify(stage.operator.log)].join('\n');
    expect(said).toContain('AuthenticationFailed');
    const encoded = [PASSWORD, WRONG_PASSWORD].flatMap((password) => [
      encodeURIComponent(password),
      Buffer.from(`writer:${password}`).toString('base64'),
    ]);
    for (const text of [...secrets, ...encoded]) {
      expect(text.length).toBeGreaterThan(10);
      expect(said.includes(text)).toBe(false);
    }
  });
});

/** The first line of what is secret in a key file. */
function keyLineOf(file: string): string {
  return file.split('\n')[1] ?? '';
}
