import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileSelector, matchSelector, SELECTOR_OPERATORS } from './label-selector.ts';
import type { LabelSelector } from './label-selector.ts';

type Labels = Record<string, string>;

/** The API's own words: In: the label's value is in the set; NotIn: it is not, or the label is missing; and so on. */
function naive(selector: LabelSelector, labels: Labels): boolean {
  const present = (key: string) => Object.keys(labels).includes(key);
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (!present(key) || labels[key] !== value) return false;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const isIn = present(key) && values.includes(labels[key] ?? '');
    const holds = { In: isIn, NotIn: !isIn, Exists: present(key), DoesNotExist: !present(key) }[operator];
    if (!holds) return false;
  }
  return true;
}

const matches = (selector: LabelSelector, labels: Labels) => matchSelector(compileSelector(selector), labels);

describe('matchSelector', () => {
  it.each<{ description: string; selector: LabelSelector; labels: Labels; expected: boolean }>([
    { description: 'an empty selector selects everything', selector: {}, labels: {}, expected: true },
    { description: 'equality', selector: { matchLabels: { a: '1' } }, labels: { a: '1', b: '2' }, expected: true },
    { description: 'an empty value', selector: { matchLabels: { a: '' } }, labels: { a: '' }, expected: true },
    {
      description: 'an empty value is not a missing one',
      selector: { matchLabels: { a: '' } },
      labels: {},
      expected: false,
    },
    {
      description: 'no inherited label',
      selector: { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
      labels: {},
      expected: false,
    },
    {
      description: 'a label called constructor',
      selector: { matchLabels: { constructor: 'x' } },
      labels: { constructor: 'x' },
      expected: true,
    },
    {
      description: 'NotIn where the label is missing',
      selector: { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] },
      labels: {},
      expected: true,
    },
    {
      description: 'all conditions must hold',
      selector: { matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'Exists' }] },
      labels: { a: '1' },
      expected: false,
    },
  ])('$description: $expected', ({ selector, labels, expected }) => {
    expect(matches(selector, labels)).toBe(expected);
  });

  it('agrees with the definition for any selector and labels', () => {
    const key = fc.constantFrom('a', 'b', 'constructor', '__proto__', 'toString');
    const value = fc.constantFrom('', '1', '2');
    const labels = fc.dictionary(key, value);
    const selector = fc.record({
      matchLabels: fc.dictionary(key, value, { maxKeys: 2 }),
      matchExpressions: fc.array(
        fc.record({ key, operator: fc.constantFrom(...SELECTOR_OPERATORS), values: fc.array(value, { maxLength: 2 }) }),
        { maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(selector, labels, (s, l) => {
        expect(matches(s, l)).toBe(naive(s, l));
      }),
      { numRuns: 1000 },
    );
  });
});
