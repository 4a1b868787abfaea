import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InMemoryCommitSightings } from '#git';
import { change, git, GitFixture, pathOf } from './git-fixture.ts';

let fixture: GitFixture;
beforeEach(async () => {
  fixture = await GitFixture.make();
});
afterEach(async () => {
  await fixture.end();
});

const MINUTE = 60_000;
const results = (written: { verdicts: { result: string }[] }): string[] =>
  written.verdicts.map((verdict) => verdict.result);

describe('last writer wins', () => {
  it("keeps a person's newer commit to a path and drops the older event as stale", async () => {
    const now = Date.now();
    const repository = fixture.repository();
    await repository.write([
      change('one', 'v: 1\n', { admittedAt: now - 10 * MINUTE }),
      change('two', 'v: 1\n', { admittedAt: now - 10 * MINUTE }),
    ]);
    const paula = await fixture.person();
    const sha = await paula.commit({ [pathOf('one')]: 'v: by hand\n', 'README.md': 'hello\n' }, now - MINUTE);
    await paula.push();
    const older = { admittedAt: now - 5 * MINUTE };
    const written = await repository.write([change('one', 'v: 2\n', older), change('two', 'v: 2\n', older)]);
    expect(written.verdicts).toMatchObject([{ result: 'stale', sha }, { result: 'committed' }]);
    expect(await fixture.read(pathOf('one'))).toBe('v: by hand\n');
    expect(await fixture.read(pathOf('two'))).toBe('v: 2\n');
    expect(await fixture.read('README.md')).toBe('hello\n');
  });

  it("puts the cluster's newer state on top of a person's older commit, also where both are from the same second", async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 1\n', { admittedAt: now - 10 * MINUTE })]);
    const paula = await fixture.person();
    await paula.commit({ [pathOf('one')]: 'v: by hand\n', [pathOf('two')]: 'v: by hand\n' }, now - MINUTE);
    await paula.push();
    const written = await repository.write([
      change('one', 'v: 2\n', { admittedAt: now - MINUTE + 1000 }),
      change('two', 'v: 2\n', { admittedAt: now - MINUTE }),
    ]);
    expect(results(written)).toEqual(['committed', 'committed']);
    expect(await fixture.log()).toHaveLength(4);
  });

  it('does not let a commit date in the future win against what happens after it was seen', async () => {
    const sightings = new InMemoryCommitSightings();
    const repository = fixture.repository({}, undefined, {}, sightings);
    const now = Date.now();
    await repository.write([change('one', 'v: 1\n', { admittedAt: now - MINUTE })]);
    const paula = await fixture.person();
    await paula.commit({ [pathOf('one')]: 'v: 2038\n' }, Date.parse('2038-01-01T00:00:00Z'));
    await paula.push();
    const at = (time: number) => ({ now: () => time });
    const before = await repository.write([change('one', 'v: older\n', { admittedAt: now - MINUTE })], at(now));
    const after = await repository.write([change('one', 'v: newer\n', { admittedAt: now + MINUTE })], at(now + MINUTE));
    expect([...results(before), ...results(after)]).toEqual(['stale', 'committed']);
    const restarted = fixture.repository({ key: { namespace: 'b', name: 'b' } }, undefined, {}, sightings);
    const later = await restarted.write(
      [change('one', 'v: newest\n', { admittedAt: now + 2 * MINUTE })],
      at(now + 2 * MINUTE),
    );
    expect(results(later)).toEqual(['committed']);
  });

  it('knows a commit that was pushed while the plan was carried out', async () => {
    const repository = fixture.repository();
    const now = Date.now();
    await repository.write([change('one', 'v: 1\n', { admittedAt: now - 10 * MINUTE })]);
    const paula = await fixture.person();
    await paula.commit({ [pathOf('one')]: 'v: by hand\n' }, now - MINUTE);
    await paula.git('push', '-q', 'origin', 'HEAD:refs/heads/paula');
    // The hook moves the branch between the remote's announcement of its refs and our update, once.
    await fixture.hook(
      'pre-receive',
      `[ -e moved ] && exit 0; touch moved; unset GIT_QUARANTINE_PATH; git update-ref refs/heads/main refs/heads/paula; exit 0`,
    );
    const written = await repository.write([
      change('one', 'v: 2\n', { admittedAt: now - 5 * MINUTE }),
      change('two', 'v: 2\n', { admittedAt: now - 5 * MINUTE }),
    ]);
    expect(results(written)).toEqual(['stale', 'committed']);
    expect((await fixture.log()).map((commit) => commit.author.split(' ')[0])).toEqual([
      'admin@company.com',
      'Paula',
      'admin@company.com',
    ]);
  });

  it('does not take our own commits for a person’s when they come back through a merge', async () => {
    const repository = fixture.repository();
    const now = Date.now();
    await repository.write([change('base', 'v: 1\n', { admittedAt: now - 10 * MINUTE })]);
    const paula = await fixture.person();
    await paula.commit({ 'README.md': 'a feature\n' }, now - 9 * MINUTE);
    const first = change('one', 'v: 1\n', { admittedAt: now - 8 * MINUTE });
    await repository.write([first]);
    await paula.git('fetch', '-q', 'origin');
    await paula.git('merge', '-q', '--no-edit', 'origin/main');
    await paula.push();
    const written = await repository.write([first, change('one', 'v: 2\n', { admittedAt: now - 7 * MINUTE })]);
    expect(results(written)).toEqual(['duplicate', 'committed']);
  });

  it('finds the newer commit of a person deep in a long history', async () => {
    const now = Date.now();
    const paula = await fixture.person();
    await paula.commit({ [pathOf('one')]: 'v: by hand\n', 'README.md': '0\n' }, now - 30 * MINUTE);
    for (let count = 1; count <= 60; count += 1) await paula.commit({ 'README.md': `${count}\n` }, now - 20 * MINUTE);
    await paula.push();
    const written = await fixture.repository().write([change('one', 'v: 1\n', { admittedAt: now - 40 * MINUTE })]);
    expect(results(written)).toEqual(['stale']);
  });
});

describe('a branch that others change', () => {
  it('writes on top of what others push to other files', async () => {
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 1\n')]);
    const paula = await fixture.person();
    await paula.commit({ 'README.md': 'hello\n' });
    await paula.push();
    expect(results(await repository.write([change('one', 'v: 2\n')]))).toEqual(['committed']);
    expect((await fixture.log()).map((commit) => commit.author.split(' ')[0])).toEqual([
      'admin@company.com',
      'Paula',
      'admin@company.com',
    ]);
  });

  it('accepts a rewound branch and never brings the removed commits back', async () => {
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 1\n'), change('two', 'v: 1\n')]);
    const [first] = await fixture.log();
    await fixture.git('update-ref', 'refs/heads/main', first?.sha ?? '');
    expect(results(await repository.write([change('three', 'v: 1\n')]))).toEqual(['committed']);
    expect(await fixture.files()).toEqual([pathOf('one'), pathOf('three')]);
  });

  it('accepts a branch with another history', async () => {
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 1\n')]);
    const paula = await fixture.person();
    await paula.git('checkout', '-q', '--orphan', 'fresh');
    await paula.git('rm', '-q', '-r', '--cached', '.');
    await paula.commit({ 'README.md': 'new start\n' }, Date.now() - 60 * MINUTE);
    await paula.push('--force');
    expect(results(await repository.write([change('two', 'v: 1\n')]))).toEqual(['committed']);
    expect(await fixture.files()).toEqual(['README.md', pathOf('two')]);
  });

  it('starts anew after the branch was deleted, without the removed commits', async () => {
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 1\n')]);
    await fixture.git('update-ref', '-d', 'refs/heads/main');
    expect(results(await repository.write([change('two', 'v: 1\n')]))).toEqual(['committed']);
    expect(await fixture.files()).toEqual([pathOf('two')]);
  });

  it('starts a missing branch from the default branch', async () => {
    const paula = await fixture.person();
    await paula.commit({ 'README.md': 'hello\n' });
    await paula.push();
    const repository = fixture.repository({ branch: 'cluster/audit' });
    expect(await repository.probe()).toEqual({ empty: false, branchExists: false });
    expect(results(await repository.write([change('one', 'v: 1\n')]))).toEqual(['committed']);
    expect(await fixture.files('cluster/audit')).toEqual(['README.md', pathOf('one')]);
    expect(await fixture.files('main')).toEqual(['README.md']);
  });

  it('does not call a change unchanged by what it remembers: the remote may have moved', async () => {
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 1\n')]);
    const paula = await fixture.person();
    await paula.commit({ [pathOf('one')]: 'v: by hand\n' }, Date.now() - MINUTE);
    await paula.push();
    expect(results(await repository.write([change('one', 'v: 1\n')]))).toEqual(['committed']);
    expect(await fixture.read(pathOf('one'))).toBe('v: 1\n');
  });

  it('gives up visibly when the branch moves in every round', async () => {
    const repository = fixture.repository();
    await repository.write([change('one', 'v: 1\n')]);
    await fixture.hook(
      'pre-receive',
      `unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
       tip=$(git rev-parse refs/heads/main)
       new=$(git -c user.name=p -c user.email=p@x commit-tree -p $tip -m again $tip^{tree})
       git update-ref refs/heads/main $new; exit 0`,
    );
    await expect(repository.write([change('two', 'v: 1\n')])).rejects.toMatchObject({
      code: 'LeaseStale',
      retryable: true,
    });
    await fixture.hook('pre-receive', 'exit 0');
    expect(results(await repository.write([change('two', 'v: 1\n')]))).toEqual(['committed']);
  });

  it('makes progress beside another writer', async () => {
    const [ours, theirs] = [
      fixture.repository(),
      fixture.repository({ key: { namespace: 'b', name: 'b' }, path: 'other' }),
    ];
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([ours.write([change(`a-${round}`, 'v: 1\n')]), theirs.write([change(`b-${round}`, 'v: 1\n')])]);
    }
    expect(await fixture.log()).toHaveLength(10);
  });
});

describe('a remote that refuses', () => {
  it('finds the refused changes and writes the others in order', async () => {
    await fixture.hook(
      'pre-receive',
      'while read old new ref; do for c in $(git rev-list $new --not --all); do git ls-tree -r --name-only $c | grep -q poison && { echo "file too large for this host" >&2; exit 1; }; done; done; exit 0',
    );
    const batch = Array.from({ length: 12 }, (_, at) => change(at === 7 ? 'poison' : `good-${at}`, `v: ${at}\n`));
    const written = await fixture.repository().write(batch);
    expect(results(written)).toEqual(batch.map((_, at) => (at === 7 ? 'refused' : 'committed')));
    expect(written.verdicts[7]).toMatchObject({
      code: 'PushRefused',
      message: expect.stringContaining('file too large for this host'),
    });
    expect((await fixture.log()).map((commit) => commit.message.trim().split('Event-Id: ')[1])).toEqual(
      batch.filter((_, at) => at !== 7).map((item) => item.eventId),
    );
  });

  it('finds a single refused change', async () => {
    await fixture.hook('update', 'git ls-tree -r --name-only $3 | grep -q poison && exit 1; exit 0');
    const repository = fixture.repository();
    expect(results(await repository.write([change('good', 'v: 1\n')]))).toEqual(['committed']);
    expect(results(await repository.write([change('poison', 'v: 1\n')]))).toEqual(['refused']);
    expect(results(await repository.write([change('good', 'v: 2\n')]))).toEqual(['committed']);
  });

  it('holds the queue when the branch takes nothing at all', async () => {
    await fixture.hook('pre-receive', 'echo "frozen until Monday" >&2; exit 1');
    const repository = fixture.repository();
    const batch = [change('one', 'v: 1\n'), change('two', 'v: 1\n')];
    await expect(repository.write(batch)).rejects.toMatchObject({
      code: 'PushRefused',
      message: expect.stringContaining('frozen until Monday'),
    });
    await fixture.hook('pre-receive', 'exit 0');
    expect(results(await repository.write(batch))).toEqual(['committed', 'committed']);
  });

  it('names branch protection', async () => {
    await fixture.hook(
      'pre-receive',
      'echo "error: GH006: Protected branch update failed for refs/heads/main." >&2; exit 1',
    );
    await expect(fixture.repository().write([change('one', 'v: 1\n')])).rejects.toMatchObject({
      code: 'BranchProtected',
      retryable: false,
    });
  });

  it('refuses a change whose folder is a file, and says so', async () => {
    const paula = await fixture.person();
    await paula.commit(
      { 'namespaces/production': 'a file\n', [pathOf('x').replace('production', 'other')]: 'v: 1\n' },
      Date.now() - MINUTE,
    );
    await paula.push();
    const written = await fixture
      .repository()
      .write([
        change('one', 'v: 1\n'),
        change('two', 'v: 1\n', { object: { ...change('two', '').object, namespace: 'other' } }),
      ]);
    expect(written.verdicts).toMatchObject([
      { result: 'refused', code: 'PathConflict', message: expect.stringContaining('namespaces/production') },
      { result: 'committed' },
    ]);
    expect(await fixture.read('namespaces/production')).toBe('a file\n');
  });
});

describe('commits in the repository', () => {
  it('stay inside the tree and keep their trailers, whatever names and users hold', async () => {
    const evil = 'x\n\nEvent-Id: forged\n\u2028Signed-off-by: <root@x>';
    const batch = [
      '..',
      '.git',
      '../../../etc/passwd',
      'a"b\\c',
      '-rf',
      'ü \u202e',
      'x'.repeat(400),
      'name\nM 100644 inline hooks/x',
    ].map((name) => change(name, 'v: 1\n', { user: evil, alsoRequestedBy: [evil] }));
    batch.push(change('ns', 'v: 1\n', { object: { ...change('ns', '').object, namespace: '../..', kind: '.git' } }));
    const written = await fixture.repository({ path: 'clusters/"prod" ü' }).write(batch);
    expect(new Set(results(written))).toEqual(new Set(['committed']));
    const files = await fixture.files();
    expect(files).toHaveLength(batch.length);
    expect(files.every((path) => path.startsWith('clusters/"prod" ü/namespaces/'))).toBe(true);
    for (const [at, commit] of (await fixture.log()).entries()) {
      const trailers = (await fixture.git('log', '-1', '--format=%(trailers)', commit.sha)).trim();
      expect(trailers).toBe(`Event-Id: ${batch[at]?.eventId}`);
    }
    await git(fixture.bare, ['fsck', '--strict']);
  });

  it('share one commit where they follow each other and were only observed', async () => {
    const observed = (name: string, managers: string[] = []): ReturnType<typeof change> =>
      change(name, 'v: 1\n', { origin: 'observed', user: '', eventId: `observed/uid-${name}/7`, managers });
    const batch = [observed('a', ['kubectl']), observed('b'), change('c', 'v: 1\n'), observed('d')];
    const repository = fixture.repository();
    const written = await repository.write(batch);
    const log = await fixture.log();
    expect(
      written.verdicts.map((verdict) =>
        'sha' in verdict ? log.findIndex((commit) => commit.sha === verdict.sha) : -1,
      ),
    ).toEqual([0, 0, 1, 2]);
    expect(log.map((commit) => commit.message.split('\n')[0])).toEqual([
      '[RESYNC] 2 objects',
      '[UPDATE] ConfigMap/c in ns/production by user/admin@company.com',
      '[RESYNC] ConfigMap/d in ns/production',
    ]);
    expect(log[0]?.message).toContain('- UPDATE ConfigMap/a in ns/production (kubectl)');
    expect(results(await fixture.repository({ key: { namespace: 'z', name: 'z' } }).write(batch))).toEqual(
      batch.map(() => 'duplicate'),
    );
  });

  it('never go back in time', async () => {
    const paula = await fixture.person();
    const future = Date.now() + 60 * MINUTE;
    await paula.commit({ 'README.md': 'from tomorrow\n' }, future);
    await paula.push();
    await fixture.repository().write([change('one', 'v: 1\n')]);
    expect((await fixture.log()).map((commit) => commit.committerTime)).toEqual([
      Math.floor(future / 1000),
      Math.floor(future / 1000),
    ]);
  });
});
