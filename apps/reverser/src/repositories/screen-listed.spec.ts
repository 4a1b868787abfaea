import { describe, expect, it } from '@jest/globals';
import type { Change } from '#domain';
import type { Standing } from '#ledger';
import { holdsStill, isListed } from './screen-listed.ts';

const change = (more: Partial<Change>): Change => ({
  eventId: 'observed/u1/7',
  origin: 'observed',
  operation: 'UPDATE',
  object: {
    group: '',
    version: 'v1',
    kind: 'ConfigMap',
    resource: 'configmaps',
    namespace: 'ns',
    name: 'a',
    uid: 'u1',
  },
  user: '',
  alsoRequestedBy: [],
  admittedAt: 0,
  resourceVersion: '7',
  content: 'text',
  managers: [],
  ...more,
});
const listed = change({ listedAt: 1 });
const prune = change({ prune: true, operation: 'DELETE', content: null });
const standing = (uid: string, version: string, gone = false, open = false): Standing => ({
  settled: { uid, version, gone },
  open,
  withheld: undefined,
});

describe('holdsStill', () => {
  it.each<[string, Change, Standing | undefined, boolean]>([
    ['a listed state of which the ledger knows nothing', listed, undefined, true],
    ['a listed state that is settled', listed, standing('u1', '7'), true],
    ['a listed state that is newer than what is settled', listed, standing('u1', '6'), true],
    ['a listed state while something is being decided', listed, standing('u1', '7', false, true), false],
    ['a listed state of an object that was changed since', listed, standing('u1', '8'), false],
    ['a listed state of an object that has gone', listed, standing('u1', '7', true), false],
    [
      'a listed state of an object that has gone and whose end was told of an older version',
      listed,
      standing('u1', '6', true),
      false,
    ],
    ['a listed state of a name that another object bears', listed, standing('u2', '9'), false],
    ['a removal of what the ledger does not know', prune, undefined, true],
    ['a removal of what has gone', prune, standing('u1', '9', true), true],
    ['a removal of what came after the list', prune, standing('u2', '8'), false],
    ['a removal of what left the selection before the list', prune, standing('u1', '6'), true],
    ['a removal while something is being decided', prune, standing('u1', '6', true, true), false],
  ])('of %s', (_title, subject, known, expected) => {
    expect(holdsStill(subject, known)).toBe(expected);
  });

  it('is asked of what was found by comparing alone', () => {
    expect([listed, prune, change({})].map(isListed)).toEqual([true, true, false]);
  });
});
