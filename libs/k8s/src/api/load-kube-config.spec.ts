import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { stringify } from 'yaml';
import { loadKubeConfig } from './load-kube-config.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, config: { server?: string; user?: Record<string, unknown>; current?: string }): string {
  const path = join(folder, name);
  const cluster = { server: config.server, 'certificate-authority': 'ca.crt' };
  writeFileSync(
    path,
    stringify({
      clusters: config.server === undefined ? [] : [{ name: 'c', cluster }],
      users: config.user === undefined ? [] : [{ name: 'u', user: config.user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': config.current,
    }),
  );
  return path;
}

describe('loadKubeConfig', () => {
  it('merges several files as kubectl does: the first to name something wins, missing files are skipped', () => {
    const first = write('first', { server: 'https://first', current: 'x' });
    const second = write('second', { server: 'https://second', user: { token: 't' } });

    const config = loadKubeConfig([join(folder, 'none'), first, second].join(delimiter));

    expect(config.getCurrentCluster()).toMatchObject({ server: 'https://first', caFile: join(folder, 'ca.crt') });
    expect(config.getCurrentUser()?.token).toBe('t');
  });

  it('reads a tokenFile again when the token was rotated', async () => {
    writeFileSync(join(folder, 'token'), 'rotates\n');

    const config = loadKubeConfig(write('config', { server: 'https://c', user: { tokenFile: 'token' }, current: 'x' }));

    expect(config.getCurrentUser()?.authProvider).toEqual({
      name: 'tokenFile',
      config: { tokenFile: join(folder, 'token') },
    });
  });

  it.each([
    ['no file', () => join(folder, 'none'), 'no kubeconfig file exists'],
    ['no current context', () => write('a', { server: 'https://c', user: {} }), 'no current context'],
    ['a context without its user', () => write('b', { server: 'https://c', current: 'x' }), 'no known user'],
    [
      'a server that is no URL',
      () => write('c', { server: 'nonsense', user: {}, current: 'x' }),
      'no valid server URL',
    ],
    ['a folder', () => folder, "can't be read (EISDIR)"],
  ])('says what is wrong with %s', (_title, path, message) => {
    expect(() => loadKubeConfig(path())).toThrow(
      expect.objectContaining({ code: 'BadConfig', message: expect.stringContaining(message) }),
    );
  });

  it('says what is missing outside of a pod, and never repeats a broken file, which may hold a token', () => {
    const path = join(folder, 'broken');
    writeFileSync(path, 'users: [{name: u, user: {token: s3cret}');

    expect(() => loadKubeConfig()).toThrow(
      expect.objectContaining({ code: 'BadConfig', message: expect.stringContaining('set KUBECONFIG') }),
    );
    expect(() => loadKubeConfig(path)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('s3cret') }),
    );
  });
});
