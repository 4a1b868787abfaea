import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mountOn, withMounts } from '../../support/mounts.ts';
import { change, GitFixture } from './git-fixture.ts';

const isRoot = process.getuid?.() === 0;

let fixture: GitFixture;
beforeEach(async () => {
  fixture = await GitFixture.make();
});
afterEach(async () => {
  await fixture.end();
});

async function cloneFolder(): Promise<string> {
  const [name = ''] = await readdir(join(fixture.dataDir, 'clones'));
  return join(fixture.dataDir, 'clones', name);
}

/** Removes every file of the clone whose path matches, or overwrites it. */
async function damage(pattern: RegExp, content?: string): Promise<number> {
  const folder = await cloneFolder();
  const files = (await readdir(folder, { recursive: true })).filter((path) => pattern.test(path));
  for (const file of files) {
    await chmod(join(folder, file), 0o644);
    await (content === undefined ? rm(join(folder, file)) : writeFile(join(folder, file), content));
  }
  return files.length;
}

describe('the data directory', () => {
  it('may be emptied between two writes', async () => {
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 1\n')]);
    await rm(fixture.dataDir, { recursive: true });
    const written = await repository.write([change('one', 'v: 2\n')]);
    expect(written.verdicts).toMatchObject([{ result: 'committed' }]);
    expect(await fixture.log()).toHaveLength(2);
  });

  it.each([
    ['lost packs', /\.pack$/, undefined],
    ['damaged packs', /\.pack$/, 'no pack'],
    ['damaged indexes', /\.idx$/, 'no index'],
    ['no HEAD', /^HEAD$/, undefined],
    ['a damaged configuration', /^config$/, '[core'],
    ['a damaged list of cuts', /^shallow$/, 'nonsense\n'],
    ['no objects at all', /^objects/, undefined],
  ])('heals by itself from a clone with %s', async (_, pattern, content) => {
    const paula = await fixture.person();
    for (const line of ['1', '2', '3']) await paula.commit({ 'README.md': `${line}\n` }, Date.now() - 3_600_000);
    await paula.push();
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 1\n')]);
    await damage(pattern, content).catch(() => rm(join(fixture.dataDir, 'clones'), { recursive: true }));
    const written = await repository.write([change('one', 'v: 2\n')]);
    expect(written.verdicts).toMatchObject([{ result: 'committed' }]);
    expect(await fixture.log()).toHaveLength(5);
    const restarted = await fixture.repository().write([change('one', 'v: 3\n')]);
    expect(restarted.verdicts).toMatchObject([{ result: 'committed' }]);
  });

  it('is reused after a restart, damaged as it may be', async () => {
    await fixture.repository().write([change('one', 'v: 1\n')]);
    expect(await damage(/\.pack$/, 'no pack')).toBeGreaterThan(0);
    const written = await fixture.repository().write([change('one', 'v: 2\n')]);
    expect(written.verdicts).toMatchObject([{ result: 'committed' }]);
  });

  it('that is no folder gives an error that says what to do', async () => {
    await writeFile(fixture.dataDir, 'a file');
    const failure = fixture.repository().write([change('one', 'v: 1\n')]);
    await expect(failure).rejects.toMatchObject({
      code: 'DataDirUnwritable',
      retryable: false,
      message: expect.stringContaining('DATA_DIR'),
    });
  });

  // Root may write whatever the mode says.
  (isRoot ? withMounts() : { it }).it('that is read-only gives the same error', async () => {
    await mkdir(fixture.dataDir, { mode: 0o500 });
    const mount = isRoot ? await mountOn(fixture.dataDir, 'ro') : undefined;
    try {
      await expect(fixture.repository().probe()).rejects.toMatchObject({ code: 'DataDirUnwritable', retryable: false });
    } finally {
      await mount?.unmount();
    }
  });

  withMounts().it('that is full gives an error that may heal, and heals', async () => {
    await mkdir(fixture.dataDir);
    const mount = await mountOn(fixture.dataDir, 'size=256k');
    try {
      const repository = fixture.repository();
      await repository.write([change('one', 'v: 1\n')]);
      await writeFile(join(fixture.dataDir, 'ballast'), Buffer.alloc(1024 * 1024)).catch(() => undefined);
      await expect(repository.write([change('two', 'v: 1\n')])).rejects.toMatchObject({
        code: 'DiskFull',
        retryable: true,
      });
      await rm(join(fixture.dataDir, 'ballast'));
      expect((await repository.write([change('two', 'v: 1\n')])).verdicts).toMatchObject([{ result: 'committed' }]);
    } finally {
      await mount.unmount();
    }
  });

  it('keeps credentials in files that only the owner reads, and removes them at the end', async () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.alloc(64, 7).toString('base64')}\n-----END PRIVATE KEY-----\n`;
    const repository = fixture.repository(
      { url: 'ssh://git@127.0.0.1:1/a/b.git' },
      { 'ssh-key': key, 'known-hosts': 'h ssh-ed25519 AAAA' },
    );
    await expect(repository.probe()).rejects.toThrow();
    const folder = join(fixture.dataDir, 'credentials');
    const [id = ''] = await readdir(folder);
    expect((await stat(join(folder, id))).mode & 0o777).toBe(0o700);
    for (const file of await readdir(join(folder, id)))
      expect((await stat(join(folder, id, file))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, id, 'identity'), 'utf8')).toBe(key);
    await repository.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('gets a new clone once the old one has grown', async () => {
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 0\n')]);
    const packs = join(await cloneFolder(), 'objects', 'pack');
    for (let at = 0; at < 200; at += 1) await writeFile(join(packs, `pack-${String(at).padStart(40, '0')}.pack`), '');
    await repository.write([change('one', 'v: 1\n')]);
    expect((await readdir(packs)).length).toBeLessThan(20);
    expect(await fixture.log()).toHaveLength(2);
  });
});
