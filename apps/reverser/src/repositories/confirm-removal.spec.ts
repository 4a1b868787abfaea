import { describe, expect, it } from '@jest/globals';
import { confirmationOf, confirmedCount } from './confirm-removal.ts';

describe('the confirmation of a removal', () => {
  it.each([
    ['60', undefined, 60],
    ['60', '50', 60],
    ['60/2', '60', 60],
    ['60/2026-11-24T10:00:00Z', '60', 60],
    ['60', '60', undefined],
    ['60/2', '60/2', undefined],
    [undefined, undefined, undefined],
    ['', undefined, undefined],
    ['sixty', undefined, undefined],
    ['-60', undefined, undefined],
    ['60 files', undefined, undefined],
    ['1234567890', undefined, undefined],
  ])('%j after %j allows %j files', (value, handled, count) => {
    expect(confirmedCount(value, handled)).toBe(count);
  });

  it.each([
    [60, undefined, '60'],
    [60, '50', '60'],
    [60, '60', '60/2'],
    [60, '60/2', '60/3'],
    [60, '60/again', '60/2'],
    [60, '50/2', '60'],
  ])('of %j files after %j is %j, which allows it', (count, handled, value) => {
    expect(confirmationOf(count, handled)).toBe(value);
    expect(confirmedCount(value, handled)).toBe(count);
  });
});
