import { describe, expect, it } from '@jest/globals';
import { parseWarnings } from './parse-warnings.ts';

describe('parseWarnings', () => {
  it.each([
    [['299 - "deprecated"'], ['deprecated']],
    [['299 - "one", 299 - "two, with comma"'], ['one', 'two, with comma']],
    [
      ['299 - "say \\"so\\""', '299 - "last"'],
      ['say "so"', 'last'],
    ],
    [['no warning'], []],
    [[], []],
  ])('reads %j as %j', (values, texts) => {
    expect(parseWarnings(values)).toEqual(texts);
  });
});
