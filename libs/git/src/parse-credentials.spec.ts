import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseCredentials, redactSecrets, secretTexts } from './parse-credentials.ts';
import { parseRepositoryUrl } from './parse-repository-url.ts';

const ssh = parseRepositoryUrl('git@host:a/b.git', { allowFileUrls: false });
const https = parseRepositoryUrl('https://host/a/b.git', { allowFileUrls: false });
const secret = (data: Record<string, string>) =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text)]));
const pem = (cipher?: string): string =>
  generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', ...(cipher === undefined ? {} : { cipher, passphrase: 'x' }) },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
const openssh = (cipher: string): string => {
  const blob = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    Buffer.from([0, 0, 0, cipher.length]),
    Buffer.from(cipher),
    Buffer.alloc(80),
  ]);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${blob.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----`;
};
const hosts = 'host ssh-ed25519 AAAA\n';

describe('ssh credentials', () => {
  it.each([
    ['ssh-key', 'known-hosts'],
    ['ssh-privatekey', 'known_hosts'],
    ['identity', 'known_hosts'],
  ])('are read from %s and %s', (key, knownHosts) => {
    const text = pem();
    expect(parseCredentials(secret({ [key]: text, [knownHosts]: hosts }), ssh)).toEqual({
      kind: 'ssh',
      privateKey: text,
      knownHosts: hosts,
    });
  });

  it('may have lost their last line break or gained carriage returns', () => {
    const text = openssh('none');
    expect(
      parseCredentials(secret({ 'ssh-key': text.replace(/\n/g, '\r\n'), 'known-hosts': hosts }), ssh),
    ).toMatchObject({ privateKey: `${text}\n` });
  });

  it.each([
    [undefined, 'CredentialsMissing', /spec\.secretRef/],
    [{ 'known-hosts': hosts }, 'CredentialsIncomplete', /ssh-key/],
    [{ 'ssh-key': pem() }, 'KnownHostsMissing', /ssh-keyscan/],
    [{ 'ssh-key': pem(), 'known-hosts': '# nothing\n\n' }, 'KnownHostsMissing', /ssh-keyscan/],
    [{ 'ssh-key': 'ssh-ed25519 AAAA me', 'known-hosts': hosts }, 'CredentialsInvalid', /ssh-key/],
    [
      { 'ssh-key': openssh('none').replace(/b3BlbnNza/, 'b3BlbnXXX'), 'known-hosts': hosts },
      'CredentialsInvalid',
      /damaged/,
    ],
    [{ 'ssh-key': openssh('aes256-ctr'), 'known-hosts': hosts, password: 'x' }, 'CredentialsInvalid', /passphrase/],
    [{ 'ssh-key': pem('aes-256-cbc'), 'known-hosts': hosts }, 'CredentialsInvalid', /passphrase/],
  ])('%#: a mistake is named as %s', (data, code, message) => {
    const parse = () => parseCredentials(data && secret(data), ssh);
    expect(parse).toThrow(expect.objectContaining({ code, retryable: false }));
    expect(parse).toThrow(message);
  });
});

describe('http credentials', () => {
  const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  it.each([
    [undefined, { kind: 'anonymous' }],
    [
      { username: 'bot\n', password: 'p w\n' },
      { kind: 'basic', username: 'bot', password: 'p w' },
    ],
    [
      { bearerToken: 't0ken\n', 'ca.crt': ca },
      { kind: 'bearer', token: 't0ken', ca },
    ],
    [{ 'ca.crt': ca }, { kind: 'anonymous', ca }],
  ])('%j are %j', (data, credentials) => {
    expect(parseCredentials(data && secret(data as Record<string, string>), https)).toEqual(credentials);
  });

  it.each([
    [{ username: 'bot' }, 'CredentialsIncomplete', /password/],
    [{ password: 'x' }, 'CredentialsIncomplete', /username/],
    [{}, 'CredentialsIncomplete', /username/],
    [{ username: 'a:b', password: 'x' }, 'CredentialsInvalid', /username/],
    [{ bearerToken: 'a\r\nX-Evil: 1' }, 'CredentialsInvalid', /bearerToken/],
    [{ username: 'a', password: 'b', 'ca.crt': 'no' }, 'CredentialsInvalid', /ca\.crt/],
  ])('%j: a mistake is named as %s', (data, code, message) => {
    const parse = () => parseCredentials(secret(data), https);
    expect(parse).toThrow(expect.objectContaining({ code }));
    expect(parse).toThrow(message);
  });

  it('disappear from text in every form', () => {
    const texts = secretTexts({ kind: 'basic', username: 'bot', password: 'p@ss w' });
    const header = Buffer.from('bot:p@ss w').toString('base64');
    expect(redactSecrets(`a p@ss w b p%40ss%20w c ${header}`, texts)).toBe('a *** b *** c ***');
  });
});
