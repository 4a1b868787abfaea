import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnvironmentError } from './environment.ts';
import { loadSettings, prepareDataDir } from './settings.ts';

describe('settings', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reverser-settings-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads the address of Redis from a file, which wins over the variable', async () => {
    const file = join(folder, 'url');
    await writeFile(file, 'rediss://:secret@cache:6380\n');
    const { redisUrl } = loadSettings({ REDIS_URL_FILE: file, REDIS_URL: 'redis://other' });
    expect(redisUrl).toBe('rediss://:secret@cache:6380');
  });

  it('says which file it could not read, and why', () => {
    expect(() => loadSettings({ REDIS_URL_FILE: join(folder, 'none') })).toThrow(EnvironmentError);
    expect(() => loadSettings({ REDIS_URL_FILE: join(folder, 'none') })).toThrow(/REDIS_URL_FILE.*ENOENT/);
  });

  it('does not take an empty file for a setting that is not given', async () => {
    await writeFile(join(folder, 'empty'), '\n');
    expect(() => loadSettings({ REDIS_URL_FILE: join(folder, 'empty') })).toThrow(/REDIS_URL_FILE.*empty/);
  });

  it('says of what a file holds that it came from there, and does not repeat it', async () => {
    await writeFile(join(folder, 'wrong'), 'redis://[secret');
    const load = () => loadSettings({ REDIS_URL_FILE: join(folder, 'wrong') });
    expect(load).toThrow(/REDIS_URL, read from REDIS_URL_FILE, must be/);
    expect(load).not.toThrow(/secret/);
  });

  it('lists what is wrong with files and the kubeconfig beside all other mistakes', () => {
    const env = { REDIS_URL_FILE: join(folder, 'none'), HTTP_PORT: '0', KUBECONFIG: '/nowhere' };
    expect(() => loadSettings(env, (path) => `there is no ${path}.`)).toThrow(
      new EnvironmentError([
        "REDIS_URL_FILE names a file that can't be read (ENOENT).",
        'HTTP_PORT must be a port from 1 to 65535.',
        'KUBECONFIG: there is no /nowhere.',
      ]),
    );
  });

  it('keeps the clones of several installations apart', () => {
    const one = loadSettings({ INSTANCE_NAME: 'one' }).dataDir;
    expect(one).not.toBe(loadSettings({ INSTANCE_NAME: 'two' }).dataDir);
    expect(one.startsWith(tmpdir())).toBe(true);
  });

  it('takes a webhook URL with or without a slash at its end', () => {
    expect(loadSettings({ WEBHOOK_URL: 'https://example.com/a//' }).webhook.url).toBe('https://example.com/a');
  });

  it('makes the data folder for this user alone', async () => {
    const settings = loadSettings({ DATA_DIR: join(folder, 'deep', 'data') });
    expect(prepareDataDir(settings)).toBeUndefined();
    expect((await stat(settings.dataDir)).mode & 0o777).toBe(0o700);
    expect(prepareDataDir(settings)).toBeUndefined();
  });

  it('says why it can not make the data folder', async () => {
    await writeFile(join(folder, 'file'), '');
    expect(prepareDataDir(loadSettings({ DATA_DIR: join(folder, 'file', 'data') }))).toMatch(/DATA_DIR.*ENOTDIR/);
  });
});
