import { describe, expect, it } from '@jest/globals';
import { changedFields } from './status-writer.service.ts';

describe('changedFields', () => {
  it.each([
    [{ a: 1 }, { a: 1 }, {}],
    [{ a: 1 }, { a: 2, b: 3 }, { a: 2, b: 3 }],
    [{ a: { b: 1 } }, { a: { b: 1, c: undefined } }, {}],
    [{ a: 1 }, { a: undefined }, {}],
    [{ a: 1 }, { a: null, b: null }, { a: null }],
    [{ a: 2n ** 60n }, { a: 2n ** 60n }, {}],
    [{ a: 2n ** 60n }, { a: 2n ** 60n + 1n }, { a: 2n ** 60n + 1n }],
  ])('of status %j and patch %j are %j', (status, patch, expected) => {
    expect(changedFields(status, patch)).toEqual(expected);
  });
});
