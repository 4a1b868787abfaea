import { describe, expect, it } from '@jest/globals';
import { parseRepositoryUrl } from './parse-repository-url.ts';

const parse = (text: string) => parseRepositoryUrl(text, { allowFileUrls: true });

describe('a repository URL', () => {
  it.each([
    ['git@github.com:yourorg/k8s-audit.git', 'ssh', 'git@github.com:yourorg/k8s-audit.git'],
    ['ssh://git@GitHub.com:22/yourorg/k8s-audit.git', 'ssh', 'ssh://git@github.com/yourorg/k8s-audit.git'],
    ['https://github.com/yourorg/k8s-audit', 'https', 'https://github.com/yourorg/k8s-audit'],
    ['https://bot@github.com:443/yourorg/k8s-audit.git/', 'https', 'https://github.com/yourorg/k8s-audit.git/'],
    ['http://github.com/yourorg//k8s-audit.git', 'http', 'http://github.com/yourorg//k8s-audit.git'],
  ])('%s is reached over %s as %s and is one repository with its other spellings', (text, transport, given) => {
    expect(parse(text)).toMatchObject({ transport, text: given, normalized: 'github.com/yourorg/k8s-audit' });
  });

  it('keeps a port that is not the default one, IPv6 addresses and file paths', () => {
    expect(parse('ssh://git@host:2222/a/b.git')).toMatchObject({ port: 2222, normalized: 'host:2222/a/b' });
    expect(parse('ssh://git@[::1]:2222/a.git')).toMatchObject({ host: '[::1]', normalized: '[::1]:2222/a' });
    expect(parse('file:///srv/git/a.git')).toMatchObject({ transport: 'file', normalized: 'file:///srv/git/a' });
  });

  it.each([
    '',
    '-oProxyCommand=x',
    'ssh://-oProxyCommand=x/a',
    'git@-oProxyCommand=x:a',
    'ssh://-l@host/a',
    'host:-x',
    'ext::sh -c x',
    'ext::sh',
    'fd::17',
    'git://host/a',
    'ftp://host/a',
    'javascript://x',
    'https://host',
    'https://host/',
    'https:///a',
    '/srv/git',
    'a\nb',
    'https://host/a b',
    'https://host:99999/a',
    'https://host/a?x=1',
    'https://host/a#b',
    'file://host/a',
    'https://ho$(x)st/a',
    'ssh://host`x`/a',
  ])('%j is refused', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'UrlInvalid', retryable: false }));
  });

  it('refuses a password without repeating it', () => {
    expect(() => parse('https://bot:hunter2@host/a')).toThrow(/Secret/);
    expect(() => parse('https://bot:hunter2@host/a')).not.toThrow(/hunter2/);
  });

  it('takes file URLs only where they are allowed', () => {
    expect(() => parseRepositoryUrl('file:///a', { allowFileUrls: false })).toThrow(
      expect.objectContaining({ code: 'FileUrlNotAllowed' }),
    );
  });
});
