import { describe, expect, it } from '@jest/globals';
import type { Attempt } from '#domain';
import { historySince } from './history-since.ts';
import type { DismissReason, LedgerAttempt, LedgerView, Proof } from './proof.ts';

function proofWith(doubt: string | undefined, dismissed: [DismissReason, Partial<Attempt>][]): Proof {
  return {
    changes: [],
    pending: [],
    settled: undefined,
    doubts: doubt === undefined ? [] : [doubt],
    dismissed: dismissed.map(([reason, attempt]) => ({
      reason,
      attempt: { operation: 'UPDATE', base: '7', ...attempt } as Attempt,
    })),
  };
}

const NOTHING: LedgerView = { attempts: [], states: [] };
const stateAt = (version: string): LedgerView['states'][number] => ({
  uid: 'u',
  state: { version, content: 'c', fingerprint: 'f', dying: false },
});

describe('historySince', () => {
  it('begins at the oldest base of the updates that are given up in doubt, by number', () => {
    const proof = proofWith('x', [
      ['superseded', { base: '10' }],
      ['superseded', { base: '9' }],
    ]);
    expect(historySince({ ...NOTHING, states: [stateAt('9')] }, proof)).toBe('9');
  });

  it('begins before a base that nobody has seen, so that it is told, too', () => {
    expect(historySince(NOTHING, proofWith('x', [['superseded', { base: '10' }]]))).toBe('9');
    const settled = { uid: 'u', version: '10', gone: false };
    expect(historySince({ ...NOTHING, settled }, proofWith('x', [['superseded', { base: '10' }]]))).toBe('10');
  });

  it('does not go back behind what was decided for a record that came again', () => {
    const settled = { uid: 'u', version: '10', gone: false };
    expect(historySince({ ...NOTHING, settled }, proofWith('x', [['superseded', { base: '3' }]]))).toBeUndefined();
  });

  it('is of use for the first state that is known of an object, too', () => {
    const proof = proofWith(undefined, [['superseded', { base: '10' }]]);
    proof.changes.push({
      kind: 'observed',
      operation: 'UPDATE',
      uid: 'u',
      version: '12',
      content: 'c',
      presumed: true,
    });
    expect(historySince(NOTHING, proof)).toBe('9');
  });

  it('begins where the object before ended, for one that may have come and gone before the one that is there', () => {
    const proof = proofWith('later first', []);
    proof.pending.push({ operation: 'CREATE', base: null, object: { uid: 'between' } } as LedgerAttempt);
    proof.settled = { uid: 'later', version: '20', gone: false };
    const settled = { uid: 'before', version: '10', gone: true };
    expect(historySince({ ...NOTHING, settled }, proof)).toBe('10');
    expect(historySince({ ...NOTHING, settled: { ...settled, uid: 'later' } }, proof)).toBeUndefined();
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
    expect(historySince(NOTHING, proof)).toBeUndefined();
  });
});
