import { describe, expect, it } from '@jest/globals';
import type { Attempt } from '#domain';
import { historySince } from './history-since.ts';
import type { DismissReason, Proof } from './proof.ts';

function proofWith(doubt: string | undefined, dismissed: [DismissReason, Partial<Attempt>][]): Proof {
  return {
    changes: [],
    pending: [],
    settled: undefined,
    doubt,
    dismissed: dismissed.map(([reason, attempt]) => ({
      reason,
      attempt: { operation: 'UPDATE', base: '7', ...attempt } as Attempt,
    })),
  };
}

describe('historySince', () => {
  it('begins at the oldest base of the updates that are given up in doubt, by number', () => {
    const proof = proofWith('x', [
      ['superseded', { base: '10' }],
      ['superseded', { base: '9' }],
    ]);
    expect(historySince(proof)).toBe('9');
  });

  it.each<[string, Proof]>([
    ['all is explained', proofWith(undefined, [['superseded', {}]])],
    ['nothing is given up', proofWith('x', [])],
    [
      'what is given up was refused, or changed nothing',
      proofWith('x', [
        ['rejected', {}],
        ['unchanged', {}],
      ]),
    ],
    ['a deletion is given up, which no version shows', proofWith('x', [['superseded', { operation: 'DELETE' }]])],
    [
      'a creation is given up, which has no base',
      proofWith('x', [['superseded', { operation: 'CREATE', base: null }]]),
    ],
  ])('asks for nothing where %s', (_, proof) => {
    expect(historySince(proof)).toBeUndefined();
  });
});
