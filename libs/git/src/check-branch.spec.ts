import { describe, expect, it } from '@jest/globals';
import { checkBranch } from './check-branch.ts';

describe('a branch name', () => {
  it.each(['main', 'cluster/audit', 'release-1.2', 'ü', 'x'.repeat(244), 'ü'.repeat(122)])('%j is taken', (name) => {
    expect(checkBranch(name)).toBe(name);
  });

  it.each([
    '',
    '@',
    'HEAD',
    '-f',
    'a..b',
    'a b',
    'a:b',
    'a^',
    'a~1',
    'a*',
    'a?',
    'a[',
    'a\\b',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a.lock',
    'a.',
    'a@{1}',
    'a\nb',
    'x'.repeat(245),
    'ü'.repeat(123),
  ])('%j is refused', (name) => {
    expect(() => checkBranch(name)).toThrow(expect.objectContaining({ code: 'BranchInvalid' }));
  });
});
