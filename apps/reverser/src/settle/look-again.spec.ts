import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nextLookIn, QUICK_LOOKS_MS } from './look-again.ts';

describe('nextLookIn', () => {
  it.each([
    [0, 100],
    [100, 100],
    [1_000, 500],
    [10_000, 5_000],
    [60_000, 5_000],
  ])('given an attempt of %i ms returns %i ms', (age, expected) => {
    expect(nextLookIn(age)).toBe(expected);
  });

  it('looks at an older attempt no sooner', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(100_000), (a, b) => {
        expect(nextLookIn(Math.max(a, b))).toBeGreaterThanOrEqual(nextLookIn(Math.min(a, b)));
      }),
    );
  });

  it('comes after quick looks that take less than a tenth of a second in all', () => {
    expect(QUICK_LOOKS_MS.reduce<number>((sum, pause) => sum + pause, 0)).toBeLessThan(100);
  });
});
