import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseExactJson, writeExactJson } from './exact-json.ts';

describe('parseExactJson', () => {
  it.each([
    ['an int64', '{"a":1234567890123456789}', { a: 1234567890123456789n }],
    ['the smallest int64', '[-9223372036854775808]', [-9223372036854775808n]],
    ['one after the safe range', '[9007199254740991,9007199254740992]', [9007199254740991, 9007199254740992n]],
    ['one after a space', '{ "a" : 1234567890123456789 }', { a: 1234567890123456789n }],
    ['one among texts', '{"a":"x","b":[{"c":12345678901234567890}]}', { a: 'x', b: [{ c: 12345678901234567890n }] }],
  ])('keeps every digit of %s', (_title, text, expected) => {
    expect(parseExactJson(text)).toEqual(expected);
  });

  it.each([
    ['digits in a text', '{"a":"1234567890123456789","b":":1234567890123456789"}'],
    ['sixteen digits that a double holds', '[1234567890123456]'],
    ['a fraction', '[0.12345678901234567890,12345678901234567890.5]'],
    ['an exponent', '[1e20,1234567890123456789e2]'],
    ['a key', '{"1234567890123456789":1,"a":[1234567890123456]}'],
    ['a prototype', '{"__proto__":{"a":1},"b":1234567890123456}'],
  ])('reads %s as JSON.parse does', (_title, text) => {
    expect(parseExactJson(text)).toEqual(JSON.parse(text));
  });

  it('reads what is nested deeper than a stack holds', () => {
    const text = `${'['.repeat(20_000)}1234567890123456789${']'.repeat(20_000)}`;
    expect(Array.isArray(parseExactJson(text))).toBe(true);
  });

  it('says like JSON.parse that a text is no JSON', () => {
    expect(() => parseExactJson('[1234567890123456789')).toThrow(SyntaxError);
  });
});

describe('writeExactJson', () => {
  it('writes what was read', () => {
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(fc.array(int64), fc.jsonValue(), (numbers, other) => {
        const read = parseExactJson(`{"numbers":[${numbers.join(',')}],"other":${JSON.stringify(other)}}`);
        expect(writeExactJson(read)).toContain(`{"numbers":[${numbers.join(',')}],`);
        expect(parseExactJson(writeExactJson(read))).toEqual(read);
      }),
    );
  });
});
