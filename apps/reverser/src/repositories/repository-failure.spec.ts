import { describe, expect, it } from '@jest/globals';
import { GIT_ERRORS, GitError } from '#git';
import type { GitErrorCode } from '#git';
import { asFailure, isOwnTrouble } from './repository-failure.ts';

describe('the failure of a probe or push', () => {
  it('waits where it may heal by itself, and is stalled where a person must act', () => {
    expect(asFailure(new GitError('HostUnreachable', 'no route'))).toEqual({
      phase: 'waiting',
      reason: 'HostUnreachable',
      message: 'no route',
    });
    expect(asFailure(new GitError('AuthenticationFailed', 'wrong password')).phase).toBe('stalled');
  });

  it('that nobody thought of is tried again', () => {
    expect(asFailure(new Error('Surprise.'))).toEqual({
      phase: 'waiting',
      reason: 'Failed',
      message: 'Surprise. It is tried again.',
    });
    expect(asFailure('no error at all').phase).toBe('waiting');
  });

  it("is this replica's own where its disk or its programs fail, and everybody's otherwise", () => {
    const own = (Object.keys(GIT_ERRORS) as GitErrorCode[]).filter((code) =>
      isOwnTrouble(asFailure(new GitError(code, ''))),
    );
    expect(own.sort()).toEqual(['CloneCorrupt', 'DataDirUnwritable', 'DiskFull', 'GitUnavailable']);
    expect(isOwnTrouble(asFailure(new Error('Surprise.')))).toBe(false);
  });
});
