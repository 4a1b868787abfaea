import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileWildcard, compileWildcards } from './match-wildcard.ts';

/** By definition: `*` takes any number of characters, anything else itself. Exponential, and short for that. */
function naive(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern.startsWith('*')) return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)));
  return text.startsWith(pattern.charAt(0)) && text !== '' && naive(pattern.slice(1), text.slice(1));
}

describe('compileWildcard', () => {
  it.each([
    { description: 'an exact text', pattern: 'admin', text: 'admin', expected: true },
    { description: 'no prefix of it', pattern: 'admin', text: 'admin2', expected: false },
    { description: 'any text', pattern: '*', text: '', expected: true },
    { description: 'a prefix', pattern: 'system:*', text: 'system:node:a', expected: true },
    { description: 'a suffix', pattern: '*@example.com', text: 'a@example.com', expected: true },
    { description: 'a middle part', pattern: 'a*b*c', text: 'a-b-c', expected: true },
    { description: 'no overlap of prefix and suffix', pattern: 'aba*ba', text: 'aba', expected: false },
    { description: 'no overlap of middle part and suffix', pattern: '*ab*b', text: 'ab', expected: false },
    { description: 'a dot as a dot', pattern: 'a.c', text: 'abc', expected: false },
    { description: 'an expression as a text', pattern: '(a+)+$*', text: '(a+)+$!', expected: true },
  ])('matches $description: $pattern with $text is $expected', ({ pattern, text, expected }) => {
    expect(compileWildcard(pattern)(text)).toBe(expected);
  });

  it('agrees with the definition for any pattern and text', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(compileWildcard(p)(t)).toBe(naive(p, t));
      }),
      { numRuns: 2000 },
    );
  });

  it('answers within a second for a pattern that makes backtracking explode', () => {
    const matches = compileWildcard('*a'.repeat(200) + '*b');
    const started = performance.now();
    expect(matches('a'.repeat(20_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('compileWildcards', () => {
  it('matches what any pattern matches', () => {
    const matches = compileWildcards(['admin', 'bot-*']);
    expect(['admin', 'bot-1', 'bot', 'someone'].map(matches)).toEqual([true, true, false, false]);
  });

  it('matches nothing without patterns, not even the empty text', () => {
    expect(compileWildcards([])('')).toBe(false);
  });
});
