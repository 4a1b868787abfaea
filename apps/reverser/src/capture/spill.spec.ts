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
            expect(spill.put(step, recordOf())).toBe(true);
            model.push(step);
          } else {
            expect(spill.peek()?.id).toBe(model.shift());
            spill.shift();
          }
          expect(spill.size).toBe(model.length);
        }
      }),
    );
  });

  it('keeps the oldest until it is taken away', () => {
    const spill = new Spill(10, 10_000);
    spill.put('a', recordOf());
    expect([spill.peek()?.id, spill.peek()?.id, spill.size]).toEqual(['a', 'a', 1]);
  });

  it('refuses more records than its bound, and takes one again when one has gone', () => {
    const spill = new Spill(2, 1_000_000);
    expect(['a', 'b', 'c'].map((id) => spill.put(id, recordOf()))).toEqual([true, true, false]);
    spill.shift();
    expect(spill.put('c', recordOf())).toBe(true);
    expect(spill.peek()?.id).toBe('b');
  });

  it('refuses more bytes than its bound, and forgets the bytes of what has gone', () => {
    const spill = new Spill(1_000, 10_000);
    expect(spill.put('large', recordOf('x'.repeat(9_000)))).toBe(true);
    expect(spill.put('second', recordOf('x'.repeat(1_000)))).toBe(false);
    spill.shift();
    expect(spill.put('second', recordOf('x'.repeat(9_000)))).toBe(true);
    expect(spill.put('larger than all', recordOf('x'.repeat(20_000)))).toBe(false);
  });

  it('counts the bytes of the state before as well', () => {
    const spill = new Spill(1_000, 10_000);
    const base = {
      uid: 'u',
      state: { version: '1', content: 'c', fingerprint: 'f', dying: false },
      content: 'x'.repeat(9_800),
    };
    expect(spill.put('a', { object: OBJECT, base })).toBe(false);
  });

  it('is not harmed by a shift when it is empty', () => {
    const spill = new Spill(1, 10_000);
    spill.shift();
    expect([spill.size, spill.peek(), spill.put('a', recordOf())]).toEqual([0, undefined, true]);
  });
});
