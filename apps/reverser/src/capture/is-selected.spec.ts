import { describe, expect, it } from '@jest/globals';
import { SKIP_REASONS } from '#rules';
import type { SkipReason } from '#rules';
import { isSelected } from './is-selected.ts';

const match = (...reasons: SkipReason[]) => ({
  wantedBy: [],
  undecided: false,
  skips: reasons.map((reason) => ({ rule: 'shop/rule', reason })),
});

describe('isSelected', () => {
  it('is true where somebody wants the write, or may want it', () => {
    expect(isSelected({ ...match(), wantedBy: [{ namespace: 'shop', name: 'repo' }] })).toBe(true);
    expect(isSelected({ ...match(), undecided: true })).toBe(true);
  });

  const ABOUT_THE_WRITE = [
    'operation-not-selected',
    'user-excluded',
    'field-manager-excluded',
    'default-user',
    'dying',
  ];

  it.each(SKIP_REASONS.map((reason) => ({ reason, expected: ABOUT_THE_WRITE.includes(reason) })))(
    'given only a skip for $reason returns $expected',
    ({ reason, expected }) => {
      expect(isSelected(match(reason))).toBe(expected);
    },
  );

  it('is true where one rule of several may want another write', () => {
    expect(isSelected(match('ignored', 'labels-excluded'))).toBe(false);
    expect(isSelected(match('labels-excluded', 'user-excluded'))).toBe(true);
  });

  it('is false where no rule means the kind', () => {
    expect(isSelected(match())).toBe(false);
  });
});
