import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Attempt, ProvenState } from '#domain';
import { decodeEntry, encodeRecord, stateText } from './ledger-entry.ts';
import type { LedgerRecord } from './ledger-entry.ts';

const OBJECT = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  namespace: 'shop',
  name: 'a',
  uid: 'u1',
};

const hex = fc.stringMatching(/^[0-9a-f]{8}$/);
const anyState: fc.Arbitrary<ProvenState> = fc
  .record({
    version: fc.bigInt({ min: 1n, max: 10n ** 15n }).map(String),
    content: hex,
    fingerprint: fc.oneof(hex, fc.constant('')),
    dying: fc.boolean(),
    unselected: fc.boolean(),
  })
  .map(({ unselected, ...state }) => (unselected ? { ...state, unselected } : state));
const anyAttempt: fc.Arbitrary<Attempt> = fc
  .record({
    id: fc.uuid(),
    operation: fc.constantFrom('CREATE', 'UPDATE', 'DELETE'),
    base: fc.option(fc.bigInt({ min: 1n, max: 10n ** 15n }).map(String)),
    target: fc.record({ content: hex, fingerprint: hex }),
    user: fc.string({ unit: 'binary' }),
    admittedAt: fc.nat(),
    content: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
  })
  .map(({ content, ...rest }) => ({
    ...rest,
    object: OBJECT,
    wantedBy: [],
    ...(content !== undefined && { content }),
  }));

const hashOf = (records: LedgerRecord[]): Record<string, string> =>
  Object.assign({}, ...records.map(encodeRecord)) as Record<string, string>;

describe('a ledger entry', () => {
  it('is nothing where there is no record', () => {
    expect(decodeEntry({})).toBeUndefined();
  });

  it('gives back the attempt and the state that were recorded, whatever users and files hold', () => {
    fc.assert(
      fc.property(anyAttempt, anyState, fc.string({ unit: 'binary' }), (attempt, state, text) => {
        const entry = decodeEntry(hashOf([{ object: OBJECT, attempt, base: { uid: 'u1', state, content: text } }]))!;
        const { content, ...rest } = attempt;
        expect(entry.view.attempts).toEqual([rest]);
        expect(entry.contents.get(attempt.id)).toBe(content);
        expect(entry.view.states).toEqual([{ uid: 'u1', state }]);
        expect(entry.contents.get(stateText(state))).toBe(text);
      }),
    );
  });

  it('is the same in whatever order records came', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyAttempt, { selector: ({ id }) => id }), (attempts) => {
        const records = attempts.map((attempt) => ({ object: OBJECT, attempt }));
        if (records.length === 0) return;
        const [one, other] = [records, records.toReversed()].map((order) => decodeEntry(hashOf(order))!.view);
        expect(one).toEqual(other);
        expect(one!.attempts.map(({ admittedAt }) => admittedAt)).toEqual(
          attempts.map(({ admittedAt }) => admittedAt).sort((a, b) => a - b),
        );
      }),
    );
  });

  it('takes a call that is recorded twice for one', () => {
    const attempt = fc.sample(anyAttempt, { numRuns: 1, seed: 1 })[0]!;
    const record = { object: OBJECT, attempt };
    expect(decodeEntry(hashOf([record, record]))!.view.attempts).toHaveLength(1);
  });

  it('marks a name that is to be looked at', () => {
    expect(
      decodeEntry(
        hashOf([
          { object: OBJECT, lookUntil: 5 },
          { object: OBJECT, lookUntil: 0 },
        ]),
      )!.looks,
    ).toEqual([5, 0]);
    expect(decodeEntry(hashOf([{ object: OBJECT }]))!.looks).toEqual([]);
  });
});
