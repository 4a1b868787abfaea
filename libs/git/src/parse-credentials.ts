import { GitError } from './git-error.ts';
import type { RepositoryUrl } from './parse-repository-url.ts';

/** How to identify ourselves to a remote, and whom to trust. Secret: never log or serialize it. */
export type GitCredentials =
  | { kind: 'ssh'; privateKey: string; knownHosts: string }
  | { kind: 'basic'; username: string; password: string; ca?: string }
  | { kind: 'bearer'; token: string; ca?: string }
  | { kind: 'anonymous'; ca?: string };

const KEY_NAMES = ['ssh-key', 'ssh-privatekey', 'identity'];
const KNOWN_HOSTS_NAMES = ['known-hosts', 'known_hosts'];

/**
 * Reads the data of a credentials Secret in the usual spellings.
 * @param data the Secret's data, decoded; undefined where the repository names no Secret
 * @throws {GitError} CredentialsMissing, CredentialsIncomplete, CredentialsInvalid, KnownHostsMissing
 */
export function parseCredentials(data: Record<string, Uint8Array> | undefined, url: RepositoryUrl): GitCredentials {
  switch (url.transport) {
    case 'file':
      return { kind: 'anonymous' };
    case 'ssh':
      return parseSsh(data);
    case 'http':
    case 'https':
      return parseHttp(data);
  }
}

function parseSsh(data: Record<string, Uint8Array> | undefined): GitCredentials {
  if (data === undefined) {
    throw new GitError(
      'CredentialsMissing',
      'An ssh repository needs credentials: set spec.secretRef to a Secret with the keys ssh-key and known-hosts.',
    );
  }
  const key = find(data, KEY_NAMES);
  if (key === undefined) throw incomplete('ssh-key', 'the private key in OpenSSH or PEM form');
  const knownHosts = find(data, KNOWN_HOSTS_NAMES);
  const privateKey = checkPrivateKey(key.name, key.text);
  if (knownHosts === undefined || !/^\s*[^#\s]/m.test(knownHosts.text)) {
    throw new GitError(
      'KnownHostsMissing',
      'The Secret has no known-hosts entry, and a host key is never trusted unseen: put the checked output of `ssh-keyscan <host>` into the key known-hosts.',
    );
  }
  return { kind: 'ssh', privateKey, knownHosts: `${unixLines(knownHosts.text).trim()}\n` };
}

function parseHttp(data: Record<string, Uint8Array> | undefined): GitCredentials {
  const ca = data === undefined ? undefined : find(data, ['ca.crt'])?.text;
  if (ca !== undefined && !/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(ca)) {
    throw new GitError('CredentialsInvalid', 'The key ca.crt of the Secret holds no PEM certificate.');
  }
  const trust = ca === undefined ? {} : { ca: `${unixLines(ca).trim()}\n` };
  if (data === undefined) return { kind: 'anonymous' };
  const token = find(data, ['bearerToken'])?.text.trim();
  if (token !== undefined) return { kind: 'bearer', token: checkHeaderText('bearerToken', token), ...trust };
  const username = find(data, ['username'])?.text.trim();
  const password = find(data, ['password'])?.text.replace(/[\r\n]+$/, '');
  if (username === undefined && password === undefined) {
    if (ca !== undefined) return { kind: 'anonymous', ...trust };
    throw incomplete('username', 'and password (or bearerToken) for an http(s) repository');
  }
  if (username === undefined) throw incomplete('username', 'beside password; many hosts take any name with a token');
  if (password === undefined) throw incomplete('password', 'beside username: the password or an access token');
  return {
    kind: 'basic',
    username: checkHeaderText('username', username),
    password: checkHeaderText('password', password),
    ...trust,
  };
}

function checkHeaderText(name: string, text: string): string {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text) || (name === 'username' && text.includes(':'))) {
    throw new GitError(
      'CredentialsInvalid',
      `The key ${name} of the Secret holds characters that an HTTP header can't carry.`,
    );
  }
  return text;
}

function checkPrivateKey(name: string, text: string): string {
  const key = `${unixLines(text).trim()}\n`;
  const match = /^-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----\n([\s\S]+)\n-----END \1-----\n$/.exec(key);
  const [, label = '', body = ''] = match ?? [];
  const blob = Buffer.from(body.replace(/^[A-Za-z-]+:.*$/gm, '').replace(/\s/g, ''), 'base64');
  if (match === null || blob.length < 16) {
    throw new GitError('CredentialsInvalid', `The key ${name} of the Secret is no private key in OpenSSH or PEM form.`);
  }
  if (label === 'OPENSSH PRIVATE KEY' && blob.toString('latin1', 0, 15) !== 'openssh-key-v1\0') {
    throw new GitError('CredentialsInvalid', `The key ${name} of the Secret is a damaged OpenSSH private key.`);
  }
  if (isEncrypted(label, body, blob)) {
    throw new GitError(
      'CredentialsInvalid',
      `The private key in ${name} has a passphrase, which is not supported: remove it with \`ssh-keygen -p -N "" -f <file>\` and store the result.`,
    );
  }
  return key;
}

function isEncrypted(label: string, body: string, blob: Buffer): boolean {
  if (label !== 'OPENSSH PRIVATE KEY') return label.startsWith('ENCRYPTED') || /^Proc-Type:.*ENCRYPTED/m.test(body);
  const length = blob.length >= 19 ? blob.readUInt32BE(15) : 0; // PROTOCOL.key of OpenSSH: magic, then the cipher's name
  return blob.toString('latin1', 19, 19 + Math.min(length, 64)) !== 'none';
}

function find(data: Record<string, Uint8Array>, names: string[]): { name: string; text: string } | undefined {
  for (const name of names) {
    const bytes = Object.hasOwn(data, name) ? data[name] : undefined;
    const text = bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
    if (text.trim() !== '') return { name, text };
  }
  return undefined;
}

function incomplete(key: string, meaning: string): GitError {
  return new GitError('CredentialsIncomplete', `The Secret lacks the key ${key} (${meaning}).`);
}

function unixLines(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

/** Every text that must not appear in an error or a log, in each form in which it could. */
export function secretTexts(credentials: GitCredentials): string[] {
  switch (credentials.kind) {
    case 'ssh':
      return [credentials.privateKey, ...credentials.privateKey.split('\n').filter((line) => line.length > 20)];
    case 'basic':
      return [
        credentials.password,
        encodeURIComponent(credentials.password),
        Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64'),
      ];
    case 'bearer':
      return [credentials.token];
    case 'anonymous':
      return [];
  }
}

/** Replaces every secret by `***`, longer ones first. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  return [...secrets]
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length)
    .reduce((redacted, secret) => redacted.replaceAll(secret, '***'), text);
}
