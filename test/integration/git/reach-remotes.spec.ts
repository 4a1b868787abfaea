import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startGitHttpServer, type GitHttpServer } from '../../support/git-http-server.ts';
import { freePort, startSshServer, withSshd, type SshServer } from '../../support/ssh-server.ts';
import { change, GitFixture } from './git-fixture.ts';

let fixture: GitFixture;
beforeEach(async () => {
  fixture = await GitFixture.make();
});
afterEach(async () => {
  await fixture.end();
});

withSshd().describe('over ssh', () => {
  let ssh: SshServer;
  beforeAll(async () => {
    ssh = await startSshServer();
  });
  afterAll(async () => {
    await ssh.stop();
  });
  const secret = (): Record<string, string> => ({ 'ssh-key': ssh.privateKey, 'known-hosts': ssh.knownHosts });

  it('probes and writes', async () => {
    const repository = fixture.repository({ url: ssh.url(fixture.bare) }, secret());
    expect(await repository.probe()).toEqual({ empty: true, branchExists: false });
    await repository.write([change('one', 'v: 1\n')]);
    await repository.write([change('one', 'v: 2\n')]);
    expect(await fixture.log()).toHaveLength(2);
  });

  it('works with a data directory whose name is hostile to shells', async () => {
    const dataDir = `${fixture.folder}/it's "100%h" $(touch nope) \\ here`;
    const repository = fixture.repository({ url: ssh.url(fixture.bare) }, secret(), { dataDir });
    expect(await repository.probe()).toMatchObject({ empty: true });
  });

  it('names a wrong host key', async () => {
    const repository = fixture.repository(
      { url: ssh.url(fixture.bare) },
      { ...secret(), 'known-hosts': ssh.wrongKnownHosts },
    );
    await expect(repository.probe()).rejects.toMatchObject({ code: 'HostKeyMismatch', retryable: false });
  });

  it('names a host that known_hosts does not hold', async () => {
    const others = ssh.knownHosts.replace(/^\S+/, 'github.com');
    const repository = fixture.repository({ url: ssh.url(fixture.bare) }, { ...secret(), 'known-hosts': others });
    await expect(repository.probe()).rejects.toMatchObject({ code: 'HostKeyUnknown', retryable: false });
  });

  it('names a key that the host does not accept, then heals when it does', async () => {
    const repository = fixture.repository({ url: ssh.url(fixture.bare) }, secret());
    await ssh.allowKey(false);
    await expect(repository.probe()).rejects.toMatchObject({ code: 'AuthenticationFailed' });
    await expect(repository.write([change('one', 'v: 1\n')])).rejects.toMatchObject({ code: 'AuthenticationFailed' });
    await ssh.allowKey(true);
    expect((await repository.write([change('one', 'v: 1\n')])).verdicts).toMatchObject([{ result: 'committed' }]);
  });

  it('names a repository that is not there', async () => {
    const repository = fixture.repository({ url: ssh.url(`${fixture.bare}-nope`) }, secret());
    await expect(repository.probe()).rejects.toMatchObject({ code: 'RepositoryNotFound' });
  });

  it('names a host that refuses connections, and one that does not exist', async () => {
    const port = await freePort();
    const closed = fixture.repository({ url: `ssh://git@127.0.0.1:${port}/a/b.git` }, secret());
    await expect(closed.probe()).rejects.toMatchObject({ code: 'HostUnreachable', retryable: true });
    const unknown = fixture.repository({ url: 'git@no-such-host.invalid:a/b.git' }, secret());
    await expect(unknown.probe()).rejects.toMatchObject({ code: 'HostUnknown', retryable: true });
  });

  it('names a key that can be parsed by us but not by ssh', async () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'secp256k1',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const repository = fixture.repository({ url: ssh.url(fixture.bare) }, { ...secret(), 'ssh-key': privateKey });
    await expect(repository.probe()).rejects.toMatchObject({ code: 'CredentialsInvalid' });
  });

  it('finds that a deploy key may only read', async () => {
    const readOnly = await startSshServer({
      forceCommand:
        'case "$SSH_ORIGINAL_COMMAND" in git-receive-pack*) echo "ERROR: The key you are authenticating with has been marked as read only." >&2; exit 1;; *) eval "$SSH_ORIGINAL_COMMAND";; esac',
    });
    try {
      const credentials = { 'ssh-privatekey': readOnly.privateKey, known_hosts: readOnly.knownHosts };
      const repository = fixture.repository({ url: readOnly.url(fixture.bare) }, credentials);
      await expect(repository.probe()).rejects.toMatchObject({ code: 'PushNotPermitted', retryable: false });
    } finally {
      await readOnly.stop();
    }
  });
});

describe.each([{ tls: false }, { tls: true }])('over http, tls $tls', ({ tls }) => {
  let http: GitHttpServer;
  beforeEach(async () => {
    http = await startGitHttpServer({ root: fixture.root, username: 'bot', password: 's3cr3t-pässword', tls });
  });
  afterEach(async () => {
    await http.stop();
  });
  const secret = (): Record<string, string> => ({
    username: 'bot',
    password: 's3cr3t-pässword',
    ...(http.ca === undefined ? {} : { 'ca.crt': http.ca }),
  });
  const url = (): string => http.url('org/audit.git');

  it('probes and writes', async () => {
    const repository = fixture.repository({ url: url() }, secret());
    expect(await repository.probe()).toEqual({ empty: true, branchExists: false });
    await repository.write([change('one', 'v: 1\n')]);
    await repository.write([change('one', 'v: 2\n')]);
    expect(await fixture.log()).toHaveLength(2);
  });

  it('pushes a large batch', async () => {
    const repository = fixture.repository({ url: url() }, secret());
    await repository.write([change('one', 'v: 1\n')]);
    const large = Array.from({ length: 300_000 }, (_, at) => (at * 7919).toString(36)).join('\n');
    expect((await repository.write([change('big', large)])).verdicts).toMatchObject([{ result: 'committed' }]);
  });

  it('names a wrong password without repeating it', async () => {
    const wrong = { ...secret(), password: 'wr0ng-p4ss' };
    const failure = await fixture
      .repository({ url: url() }, wrong)
      .probe()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'AuthenticationFailed' });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toMatch(/wr0ng|s3cr3t|Basic /);
  });

  it('names missing credentials', async () => {
    const none = http.ca === undefined ? undefined : { 'ca.crt': http.ca };
    await expect(fixture.repository({ url: url() }, none).probe()).rejects.toMatchObject({
      code: 'CredentialsMissing',
    });
  });

  it('names a missing repository', async () => {
    const repository = fixture.repository({ url: http.url('org/nope.git') }, secret());
    await expect(repository.probe()).rejects.toMatchObject({ code: 'RepositoryNotFound' });
  });

  it('names a lack of the right to push', async () => {
    http.setFault('read-only');
    await expect(fixture.repository({ url: url() }, secret()).probe()).rejects.toMatchObject({
      code: 'PushNotPermitted',
    });
  });

  it('names a failing, a cutting and a hanging host as passing trouble, and works again after it', async () => {
    const repository = fixture.repository({ url: url() }, secret(), { remoteTimeLimit: 1500 });
    const one = change('one', 'v: 1\n');
    http.setFault('error-500');
    await expect(repository.write([one])).rejects.toMatchObject({ code: 'RemoteFailed', retryable: true });
    http.setFault('cut');
    await expect(repository.write([one])).rejects.toMatchObject({
      code: expect.stringMatching(/RemoteFailed|HostUnreachable/),
      retryable: true,
    });
    http.setFault('hang');
    await expect(repository.write([one])).rejects.toMatchObject({ code: 'RemoteTimeout', retryable: true });
    http.setFault('none');
    expect((await repository.write([one])).verdicts).toMatchObject([{ result: 'committed' }]);
  });

  it('ends a hanging exchange when the caller says so', async () => {
    http.setFault('hang');
    const controller = new AbortController();
    const failure = fixture.repository({ url: url() }, secret()).probe(controller.signal);
    setTimeout(() => controller.abort(), 100);
    await expect(failure).rejects.toMatchObject({ code: 'Aborted' });
  });
});

describe('over http with a bearer token', () => {
  it('probes and writes, and names a wrong token without repeating it', async () => {
    const http = await startGitHttpServer({
      ...{ root: fixture.root, username: 'nobody', password: 'nothing', bearerToken: 't0ken-1' },
    });
    try {
      const url = http.url('org/audit.git');
      const repository = fixture.repository({ url }, { bearerToken: 't0ken-1\n' });
      expect(await repository.probe()).toEqual({ empty: true, branchExists: false });
      await repository.write([change('one', 'v: 1\n')]);
      expect(await fixture.log()).toHaveLength(1);
      const failure = await fixture
        .repository({ url }, { bearerToken: 'wr0ng-t0ken' })
        .probe()
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'AuthenticationFailed' });
      expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toMatch(/wr0ng|t0ken-1|Bearer /);
    } finally {
      await http.stop();
    }
  });
});

describe('hosts that are not there or not trusted', () => {
  it('names a certificate that nobody vouches for', async () => {
    const http = await startGitHttpServer({ root: fixture.root, username: 'bot', password: 'x', tls: true });
    try {
      const repository = fixture.repository({ url: http.url('org/audit.git') }, { username: 'bot', password: 'x' });
      await expect(repository.probe()).rejects.toMatchObject({ code: 'TlsUntrusted', retryable: false });
    } finally {
      await http.stop();
    }
  });

  it('names a refused connection and an unknown host', async () => {
    const port = await freePort();
    await expect(fixture.repository({ url: `http://127.0.0.1:${port}/a.git` }).probe()).rejects.toMatchObject({
      code: 'HostUnreachable',
    });
    await expect(fixture.repository({ url: 'https://no-such-host.invalid/a.git' }).probe()).rejects.toMatchObject({
      code: 'HostUnknown',
    });
  });

  it('names a file:// repository that is missing', async () => {
    await expect(fixture.repository({ url: `file://${fixture.folder}/nope.git` }).probe()).rejects.toMatchObject({
      code: 'RepositoryNotFound',
    });
  });
});
