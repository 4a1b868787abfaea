import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { change, GitFixture, pathOf } from './git-fixture.ts';

let fixture: GitFixture;
beforeEach(async () => {
  fixture = await GitFixture.make();
});
afterEach(async () => {
  await fixture.end();
});

describe('writing to a file:// remote', () => {
  it('makes the first commit of an empty repository', async () => {
    const first = change('app-config', 'a: 1\n', {
      admittedAt: Date.parse('2026-01-31T18:30:00.700Z'),
      resourceVersion: '12345',
    });
    const result = await fixture.repository().write([first]);
    const [commit] = await fixture.log();
    expect(result.verdicts).toEqual([{ result: 'committed', eventId: first.eventId, sha: commit?.sha }]);
    expect(result.head).toEqual({ sha: commit?.sha, time: commit?.committerTime });
    expect(commit).toMatchObject({
      author: 'admin@company.com <admin@company.com>',
      committer: 'GitOps Reverser <gitops-reverser@users.noreply.cluster.local>',
      authorTime: Date.parse('2026-01-31T18:30:00Z') / 1000,
      message: [
        '[UPDATE] ConfigMap/app-config in ns/production by user/admin@company.com',
        '',
        '- Resource: ConfigMap/app-config',
        '- Namespace: production',
        '- Operation: UPDATE',
        '- User: admin@company.com',
        '- Timestamp: 2026-01-31T18:30:00Z',
        '- Resource Version: 12345',
        '',
        `Event-Id: ${first.eventId}`,
        '',
      ].join('\n'),
    });
    expect(await fixture.files()).toEqual([pathOf('app-config')]);
    expect(await fixture.read(pathOf('app-config'))).toBe('a: 1\n');
  });

  it.each(['x'.repeat(244), 'ü'.repeat(122), `${'d/'.repeat(121)}xx`])(
    'makes and follows the branch %s',
    async (branch) => {
      const repository = fixture.repository({ branch });
      expect(await repository.probe()).toEqual({ empty: true, branchExists: false });
      await repository.write([change('one', 'v: 1\n')]);
      await repository.write([change('one', 'v: 2\n')]);
      expect(await fixture.log(branch)).toHaveLength(2);
    },
  );

  it('gives each change its own commit, in order, also several on one path', async () => {
    const batch = [change('one', 'v: 1\n'), change('one', 'v: 2\n'), change('two', 'v: 1\n'), change('one', null)];
    const result = await fixture.repository().write(batch);
    const log = await fixture.log();
    expect(result.verdicts.map((verdict) => verdict.result)).toEqual([
      'committed',
      'committed',
      'committed',
      'committed',
    ]);
    expect(log.map((commit) => commit.message.trim().split('Event-Id: ')[1])).toEqual(
      batch.map((item) => item.eventId),
    );
    expect(await fixture.files()).toEqual([pathOf('two')]);
  });

  it('says unchanged, duplicate and commits on top of what it wrote before', async () => {
    const repository = fixture.repository();
    const first = change('one', 'v: 1\n');
    const { verdicts } = await repository.write([first]);
    const again = await repository.write([first, change('one', 'v: 1\n'), change('gone', null)]);
    expect(again.verdicts).toMatchObject([
      { result: 'duplicate', sha: (verdicts[0] as { sha: string }).sha },
      { result: 'unchanged' },
      { result: 'unchanged' },
    ]);
    await repository.write([change('one', 'v: 2\n')]);
    expect(await fixture.log()).toHaveLength(2);
  });

  it('recognises after a restart what it pushed before the crash', async () => {
    const first = change('one', 'v: 1\n');
    await fixture.repository().write([first, change('two', 'v: 1\n')]);
    await fixture.repository({ key: { namespace: 'other', name: 'clone' } }).write([change('three', 'v: 1\n')]);
    const result = await fixture.repository({ key: { namespace: 'yet', name: 'another' } }).write([first]);
    expect(result.verdicts).toMatchObject([{ result: 'duplicate' }]);
    expect(await fixture.log()).toHaveLength(3);
  });

  it('probes an empty repository and one with the branch', async () => {
    const repository = fixture.repository();
    expect(await repository.probe()).toEqual({ empty: true, branchExists: false });
    const { head } = await repository.write([change('one', 'v: 1\n')]);
    expect(await repository.probe()).toEqual({ empty: false, branchExists: true, head: head?.sha });
    expect(await fixture.log()).toHaveLength(1);
  });
});
