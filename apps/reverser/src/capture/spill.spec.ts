import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Attempt } from '#domain';
import type { LedgerRecord } from '#ledger';
import { Spill } from './spill.ts';

const OBJECT = { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', name: 'a', uid: 'u' };
const recordOf = (content = ''): LedgerRecord => ({ object: OBJECT, attempt: { content } as Attempt });

describe('Spill', () => {
  it('gives back in the order in which it took', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constant(null))), (steps) => {
        const spill = new Spill(1_000, 1_000_000);
        const model: string[] = [];
        for (const step of steps) {
          if (step !== null) {
            expect(spill.put(step, recordOf(), 0)).toBe(true);
            model.push(step);
          } else {
            expect(spill.oldest(1, 0)[0]?.id).toBe(model.shift());
            spill.shift();
          }
          expect(spill.size).toBe(model.length);
        }
      }),
    );
  });

  it('keeps the oldest until it is taken away', () => {
    const spill = new Spill(10, 10_000);
    spill.put('a', recordOf(), 0);
    expect([spill.oldest(1, 0)[0]?.id, spill.oldest(1, 0)[0]?.id, spill.size]).toEqual(['a', 'a', 1]);
  });

  it('names as many of the oldest as asked for, within so many bytes, and one at least', () => {
    const spill = new Spill(10, 100_000);
    for (const id of ['a', 'b', 'c']) spill.put(id, recordOf('x'.repeat(9_500)), 0);
    const ids = (count: number, bytes: number): string[] => spill.oldest(count, bytes).map(({ id }) => id);
    expect([ids(2, 100_000), ids(9, 25_000), ids(9, 1)]).toEqual([['a', 'b'], ['a', 'b'], ['a']]);
    spill.shift(2);
    expect(ids(9, 100_000)).toEqual(['c']);
  });

  it('refuses more records than its bound, and takes one again when one has gone', () => {
    const spill = new Spill(2, 1_000_000);
    expect(['a', 'b', 'c'].map((id) => spill.put(id, recordOf(), 0))).toEqual([true, true, false]);
    spill.shift();
    expect(spill.put('c', recordOf(), 0)).toBe(true);
    expect(spill.oldest(1, 0)[0]?.id).toBe('b');
  });

  it('refuses more bytes than its bound, and forgets the bytes of what has gone', () => {
    const spill = new Spill(1_000, 10_000);
    expect(spill.put('large', recordOf('x'.repeat(9_000)), 0)).toBe(true);
    expect(spill.put('second', recordOf('x'.repeat(1_000)), 0)).toBe(false);
    spill.shift();
    expect(spill.put('second', recordOf('x'.repeat(9_000)), 0)).toBe(true);
    expect(spill.put('larger than all', recordOf('x'.repeat(20_000)), 0)).toBe(false);
  });

  it('counts the bytes of the state before as well', () => {
    const spill = new Spill(1_000, 10_000);
    const base = {
      uid: 'u',
      state: { version: '1', content: 'c', fingerprint: 'f', dying: false },
      content: 'x'.repeat(9_800),
    };
    expect(spill.put('a', { object: OBJECT, base }, 0)).toBe(false);
  });

  it('is not harmed by a shift when it is empty', () => {
    const spill = new Spill(1, 10_000);
    spill.shift();
    expect([spill.size, spill.oldest(1, 0)[0], spill.put('a', recordOf(), 0)]).toEqual([0, undefined, true]);
  });
});
