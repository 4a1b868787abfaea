import { describe, expect, it } from '@jest/globals';
import { shellQuote } from './shell-quote.ts';

describe('shellQuote', () => {
  it.each([
    ['/usr/bin/kubectl', '/usr/bin/kubectl'],
    ['/a b', "'/a b'"],
    ["it's", "'it'\\''s'"],
    ['$HOME', "'$HOME'"],
  ])('writes %s as %s', (text, expected) => {
    expect(shellQuote(text)).toBe(expected);
  });
});
