import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { retryPause } from './retry-pause.ts';

describe('retryPause', () => {
  it('doubles from one second', () => {
    expect([1, 2, 3, 4, 5, 6].map(retryPause)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
  });

  it('never shrinks, and never exceeds a minute, however long the trouble lasts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (failures) => {
        expect(retryPause(failures)).toBeLessThanOrEqual(60_000);
        expect(retryPause(failures + 1)).toBeGreaterThanOrEqual(retryPause(failures));
      }),
    );
  });
});
