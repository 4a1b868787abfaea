import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Attempt } from '#domain';
import { electDeletion, withoutRetried } from './elect-deletion.ts';

const OBJECT = { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', name: 'a', uid: 'u1' };
const by = (user: string, admittedAt: number, id = `${user}-${admittedAt}`): Attempt => ({
  ...{ id, operation: 'DELETE', object: OBJECT, base: '5', user, admittedAt, wantedBy: [] },
  target: { content: 'c', fingerprint: 'f' },
});
const TIE_MS = 2_000;

describe('electDeletion', () => {
  it.each<[string, Attempt[], string | undefined, string[]]>([
    ['nobody of none', [], undefined, []],
    ['the only one', [by('alice', 0)], 'alice', []],
    ['the later of two that are further apart', [by('alice', 0), by('bob', 2_001)], 'bob', []],
    [
      'the first of two that can not be told apart, and names the other',
      [by('alice', 0), by('bob', 2_000)],
      'alice',
      ['bob'],
    ],
    ['the first of the last group of three', [by('alice', 0), by('bob', 3_000), by('carol', 4_000)], 'bob', ['carol']],
    ['one user who asked twice without naming them again', [by('alice', 0), by('alice', 500)], 'alice', []],
    ['the smaller id at the same moment', [by('bob', 0, 'b'), by('alice', 0, 'a')], 'alice', ['bob']],
  ])('elects %s', (_title, deletions, user, others) => {
    const elected = electDeletion(deletions, TIE_MS);
    expect([elected?.attempt.user, elected?.alsoRequestedBy ?? []]).toEqual([user, others]);
  });

  it('does not depend on the order in which the attempts are given', () => {
    const attempts = fc.uniqueArray(fc.tuple(fc.constantFrom('alice', 'bob', 'carol'), fc.nat(6_000)), {
      selector: (pair) => pair.join(),
    });
    fc.assert(
      fc.property(attempts, (pairs) => {
        const deletions = pairs.map(([user, at]) => by(user, at));
        expect(electDeletion(deletions.toReversed(), TIE_MS)).toEqual(electDeletion(deletions, TIE_MS));
      }),
    );
  });
});

describe('withoutRetried', () => {
  const whileDying = [by('alice', 10)];

  it('leaves out the deletion whose user was asked again right away', () => {
    expect(withoutRetried([by('alice', 0), by('bob', 5)], whileDying).map(({ user }) => user)).toEqual(['bob']);
  });

  it('leaves in one that was not repeated, that was repeated much later, or that came after', () => {
    const kept = (deletions: Attempt[], at: number): string[] =>
      withoutRetried(deletions, [by('alice', at)]).map(({ user }) => user);
    expect(kept([by('bob', 0), by('carol', 1)], 10)).toEqual(['bob', 'carol']);
    expect(kept([by('alice', 0), by('bob', 5)], 1_001)).toEqual(['alice', 'bob']);
    expect(kept([by('alice', 20), by('bob', 5)], 10)).toEqual(['alice', 'bob']);
  });

  it('leaves all in where nobody else would be left', () => {
    expect(withoutRetried([by('alice', 0)], whileDying)).toHaveLength(1);
  });
});
