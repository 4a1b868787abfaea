import { describe, expect, it } from '@jest/globals';
import { classifyFailure, failureToError, type CommandFailure } from './classify-failure.ts';
import type { GitErrorCode } from './git-error.ts';

const failure = (command: string, stderr: string, more: Partial<CommandFailure> = {}): CommandFailure => ({
  command,
  stderr,
  exitCode: 128,
  authenticated: true,
  ...more,
});

describe('the cause of a failed command', () => {
  it.each<[GitErrorCode, string, string]>([
    [
      'HostKeyMismatch',
      'fetch',
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.\nfatal: Could not read from remote repository.',
    ],
    [
      'HostKeyUnknown',
      'push',
      'No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\nHost key verification failed.',
    ],
    [
      'HostUnknown',
      'fetch',
      'ssh: Could not resolve hostname no-such-host.invalid: Name or service not known\nfatal: Could not read from remote repository.',
    ],
    ['HostUnknown', 'push', "fatal: unable to access 'https://x.invalid/a.git/': Could not resolve host: x.invalid"],
    [
      'HostUnreachable',
      'fetch',
      'ssh: connect to host 127.0.0.1 port 1: Connection refused\nfatal: Could not read from remote repository.',
    ],
    [
      'HostUnreachable',
      'push',
      "fatal: unable to access 'http://127.0.0.1:1/a.git/': Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
    ],
    [
      'TlsUntrusted',
      'push',
      "fatal: unable to access 'https://127.0.0.1/a/': server certificate verification failed. CAfile: none CRLfile: none",
    ],
    [
      'TlsUntrusted',
      'push',
      "fatal: unable to access 'https://x/a/': SSL certificate problem: unable to get local issuer certificate",
    ],
    [
      'AuthenticationFailed',
      'fetch',
      'git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.',
    ],
    [
      'AuthenticationFailed',
      'push',
      "fatal: could not read Username for 'http://127.0.0.1:1': terminal prompts disabled",
    ],
    [
      'AuthenticationFailed',
      'fetch',
      "remote: Invalid username or password.\nfatal: Authentication failed for 'https://github.com/a/b.git/'",
    ],
    [
      'CredentialsInvalid',
      'fetch',
      'Load key "/data/identity": error in libcrypto\nroot@127.0.0.1: Permission denied (publickey).',
    ],
    [
      'PushNotPermitted',
      'push',
      'ERROR: The key you are authenticating with has been marked as read only.\nfatal: Could not read from remote repository.',
    ],
    [
      'PushNotPermitted',
      'push',
      "remote: Permission to a/b.git denied to bot.\nfatal: unable to access 'https://github.com/a/b.git/': The requested URL returned error: 403",
    ],
    [
      'RepositoryNotFound',
      'fetch',
      "fatal: '/srv/nope.git' does not appear to be a git repository\nfatal: Could not read from remote repository.",
    ],
    ['RepositoryNotFound', 'fetch', 'ERROR: Repository not found.\nfatal: Could not read from remote repository.'],
    ['RepositoryNotFound', 'push', "fatal: repository 'http://127.0.0.1:1/nope.git/' not found"],
    ['BranchNotFound', 'fetch', "fatal: couldn't find remote ref refs/heads/main"],
    [
      'BranchProtected',
      'push',
      'remote: error: GH006: Protected branch update failed for refs/heads/main.\n ! [remote rejected] main -> main (protected branch hook declined)',
    ],
    [
      'BranchProtected',
      'push',
      'remote: GitLab: You are not allowed to push code to protected branches on this project.\n ! [remote rejected] main -> main (pre-receive hook declined)',
    ],
    [
      'PushRefused',
      'push',
      'remote: error: File big.yaml is 120.00 MB; this exceeds GitHub file size limit\n!\ta:refs/heads/main\t[remote rejected] (pre-receive hook declined)',
    ],
    ['PushRefused', 'push', '!\ta:refs/heads/main\t[remote rejected] (hook declined)'],
    ['LeaseStale', 'push', '!\ta:refs/heads/main\t[rejected] (stale info)'],
    [
      'LeaseStale',
      'push',
      "remote: error: cannot lock ref 'refs/heads/main': is at 1 but expected 2\n!\ta:refs/heads/main\t[remote rejected] (failed to update ref)",
    ],
    ['RemoteTimeout', 'fetch', 'ssh: connect to host 10.0.0.1 port 22: Connection timed out'],
    ['RemoteFailed', 'push', 'error: RPC failed; HTTP 500 curl 22 The requested URL returned error: 500'],
    [
      'RemoteFailed',
      'push',
      'remote: fatal: write error: No space left on device\nerror: remote unpack failed: index-pack abnormal exit',
    ],
    ['DiskFull', 'fetch', 'fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output'],
    ['DiskFull', 'local', 'fatal: sha1 file write error. Out of diskspace: No space left on device'],
    ['DataDirUnwritable', 'local', 'fatal: unable to create temporary file: Read-only file system'],
    ['CloneCorrupt', 'local', 'fatal: bad object HEAD'],
    ['CloneCorrupt', 'local', 'fatal: not a git repository (or any of the parent directories): .git'],
    ['RemoteFailed', 'push', 'something that nobody has seen before'],
  ])('is %s for git %s saying %j', (code, command, stderr) => {
    expect(classifyFailure(failure(command, stderr))).toBe(code);
  });

  it('is a lack of credentials where none were sent', () => {
    const asked = "fatal: could not read Username for 'http://127.0.0.1:1': terminal prompts disabled";
    expect(classifyFailure(failure('push', asked, { authenticated: false }))).toBe('CredentialsMissing');
  });

  it.each<[GitErrorCode, Partial<CommandFailure>]>([
    ['Aborted', { killedBy: 'abort' }],
    ['RemoteTimeout', { killedBy: 'time-limit' }],
    ['GitUnavailable', { startError: { code: 'ENOENT' } }],
    ['CloneCorrupt', { startError: { code: 'ENOENT' }, folderMissing: true }],
  ])('is %s where the process was ended or could not start (%j)', (code, more) => {
    expect(classifyFailure(failure('fetch', '', more))).toBe(code);
  });

  it('is said in one line that tells what to do', () => {
    const { message } = failureToError('AuthenticationFailed', failure('fetch', 'a\u001b[31m\nb\r\nc'));
    expect(message).toMatch(/replace the key, password or token.* It said: a\ufffd\[31m; b; c$/);
  });
});
