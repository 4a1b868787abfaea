import { describe, expect, it } from '@jest/globals';
import { waitUntil } from './doubt.ts';

const NOW = 100_000;

describe('waitUntil', () => {
  it.each([
    { title: 'without doubt, Redis never away', unexplained: undefined, redisBack: 0, expected: 2_000 },
    { title: 'without doubt, Redis just back', unexplained: undefined, redisBack: 99_500, expected: 101_500 },
    { title: 'without doubt, Redis away', unexplained: undefined, redisBack: undefined, expected: 102_000 },
    { title: 'of a new doubt', unexplained: NOW, redisBack: 0, expected: 103_000 },
    { title: 'of an older doubt', unexplained: 98_000, redisBack: 0, expected: 101_000 },
    { title: 'of a doubt from before Redis was away', unexplained: 90_000, redisBack: 99_000, expected: 102_000 },
  ])('$title', ({ unexplained, redisBack, expected }) => {
    expect(waitUntil(unexplained, redisBack, NOW)).toBe(expected);
  });
});
