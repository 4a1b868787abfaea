import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createGitRemote, type GitRemote } from '../../support/git-remote.ts';

describe('a bare repository as Git host', () => {
  let remote: GitRemote;
  beforeEach(async () => {
    remote = await createGitRemote();
  });
  afterEach(() => remote.remove());

  it('is empty at first', async () => {
    expect([await remote.log(), await remote.files(), await remote.tip()]).toEqual([[], [], undefined]);
  });

  it("shows a person's commits, newest first, with author, message and files", async () => {
    const date = new Date('2026-01-31T18:30:00Z');
    await remote.commitAsPerson({ message: 'First', files: { 'a/ä.yaml': 'one\n', 'b.yaml': 'two\n' }, date });
    const author = { name: 'Eve "Hostile" O\'Name', email: 'eve@example.com' };
    const message = 'Second\n\nEvent-Id: not really\n\nwith body';
    const sha = await remote.commitAsPerson({ author, message, files: { 'a/ä.yaml': null, 'b.yaml': 'three\n' } });
    const [second, first] = await remote.log();
    expect(first).toMatchObject({
      parents: [],
      message: 'First',
      authoredAt: date.getTime(),
      files: [
        { status: 'A', path: 'a/ä.yaml' },
        { status: 'A', path: 'b.yaml' },
      ],
    });
    expect(second).toMatchObject({
      sha,
      author,
      message,
      files: [
        { status: 'D', path: 'a/ä.yaml' },
        { status: 'M', path: 'b.yaml' },
      ],
    });
    expect(await remote.files()).toEqual(['b.yaml']);
    expect(await remote.read('b.yaml')).toBe('three\n');
    expect(await remote.read('a/ä.yaml')).toBeUndefined();
  });

  it('says what it waited for when a commit does not come', async () => {
    await expect(remote.waitForCommit('[UPDATE] nothing', { timeoutMs: 100 })).rejects.toThrow(
      /100 ms in vain for a commit with "\[UPDATE\] nothing"/,
    );
  });
});
