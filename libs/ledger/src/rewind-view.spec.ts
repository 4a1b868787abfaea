import { describe, expect, it } from '@jest/globals';
import type { Attempt, ProvenState } from '#domain';
import { isRestored, rewindView } from './rewind-view.ts';

const state = (version: string): ProvenState => ({ version, content: `c${version}`, fingerprint: '', dying: false });
const attempt = (id: string, base: string | null): Attempt => ({
  id,
  operation: base === null ? 'CREATE' : 'UPDATE',
  object: { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', name: 'a', uid: 'u' },
  base,
  target: { content: '', fingerprint: '' },
  user: 'ann',
  admittedAt: 0,
  wantedBy: [],
});

describe('a restored storage', () => {
  it.each([
    {
      title: 'the live version of the settled uid lies before it',
      live: { uid: 'u', state: state('9') },
      expected: true,
    },
    { title: 'the live version is the settled one', live: { uid: 'u', state: state('10') }, expected: false },
    { title: 'another uid bears the name', live: { uid: 'v', state: state('9') }, expected: false },
    { title: 'nothing bears the name', live: undefined, expected: false },
  ])('is noticed: $title → $expected', ({ live, expected }) => {
    expect(isRestored({ attempts: [], states: [], settled: { uid: 'u', version: '10', gone: false } }, live)).toBe(
      expected,
    );
  });

  it('takes along what started from the live version or before, and forgets the rest', () => {
    const view = {
      attempts: [attempt('old', '12'), attempt('new', '9'), attempt('creation', null)],
      states: [
        { uid: 'u', state: state('9') },
        { uid: 'u', state: state('12') },
      ],
      settled: { uid: 'u', version: '12', gone: false },
    };
    const left = rewindView(view, '9');
    expect(left.attempts.map(({ id }) => id)).toEqual(['new', 'creation']);
    expect(left.states.map(({ state: { version } }) => version)).toEqual(['9']);
    expect(left.settled).toBeUndefined();
  });
});
