import { describe, expect, it } from '@jest/globals';
import { doubtEnds } from './doubt.ts';

describe('doubtEnds', () => {
  it.each([
    { title: 'seen just now', since: undefined, redisBack: 0, expected: 103_000 },
    { title: 'seen a while ago', since: 98_000, redisBack: 0, expected: 101_000 },
    { title: 'seen before Redis was away and back', since: 90_000, redisBack: 99_000, expected: 102_000 },
    { title: 'seen while Redis is away', since: 90_000, redisBack: undefined, expected: 103_000 },
  ])('of a step $title is three seconds after all records could come', ({ since, redisBack, expected }) => {
    expect(doubtEnds(since, redisBack, 100_000)).toBe(expected);
  });
});
