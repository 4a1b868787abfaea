import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareKeys } from './compare-keys.ts';

const key = fc.oneof(
  fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', 'B', '.', '-', '_', 'é', '🚀', '𝒜', '\ud835\udc9c') }),
  fc.string({ unit: 'binary' }),
);

describe('compareKeys', () => {
  it('sorts runs of digits by their number, punctuation before digits before letters', () => {
    const sorted = [
      '',
      '-a',
      '.x',
      '1',
      '01',
      '2',
      '10',
      'A',
      'a',
      'a-b',
      'a.b',
      'a1',
      'a1b',
      'a2',
      'a10',
      'ab',
      'é',
      '𝒜',
    ];
    expect([...sorted].reverse().sort(compareKeys)).toEqual(sorted);
  });

  it('is a total order: any two keys have one order, and sorting does not depend on where they start', () => {
    fc.assert(
      fc.property(key, key, (left, right) => {
        expect(compareKeys(left, right) === 0).toBe(left === right);
        expect(Math.sign(compareKeys(left, right)) + Math.sign(compareKeys(right, left))).toBe(0);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uniqueArray(key), (keys) => {
        const sorted = [...keys].sort(compareKeys);
        expect([...keys].reverse().sort(compareKeys)).toEqual(sorted);
        for (const [i, left] of sorted.entries())
          for (const right of sorted.slice(i + 1)) expect(compareKeys(left, right)).toBeLessThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
