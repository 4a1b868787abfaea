import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffDelay, pause } from './backoff.ts';

const SETTINGS = { first: 500, limit: 30_000 };

describe('backoffDelay', () => {
  it('doubles up to its limit', () => {
    expect([1, 2, 3, 6, 7, 8, 1000].map((failures) => backoffDelay(SETTINGS, failures, 0))).toEqual([
      500, 1000, 2000, 16_000, 30_000, 30_000, 30_000,
    ]);
  });

  it('takes off at most half by chance', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
        const full = backoffDelay(SETTINGS, failures, 0);
        expect(backoffDelay(SETTINGS, failures, random)).toBeGreaterThanOrEqual(full / 2);
        expect(backoffDelay(SETTINGS, failures, random)).toBeLessThanOrEqual(full);
      }),
    );
  });
});

describe('pause', () => {
  it('ends at once when the signal aborts', async () => {
    const stopper = new AbortController();
    const pausing = pause(3_600_000, stopper.signal);

    stopper.abort();

    await expect(pausing).resolves.toBeUndefined();
  });
});
