import { describe, expect, it } from '@jest/globals';
import type { Attempt, ObjectRef, Operation, ProvenState } from '#domain';
import { DEFAULT_PROOF_LIMITS } from './proof.ts';
import type { LedgerView, LiveState, ProvenChange } from './proof.ts';
import { proveObject } from './prove-object.ts';

const NOW = 1_000_000;

const objectOf = (uid: string): ObjectRef => ({
  ...{ group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespace: 'a', name: 'b', uid },
});

function attempt(id: string, base: string | null, content: string, more: Partial<Attempt> = {}): Attempt {
  return {
    id,
    operation: base === null ? 'CREATE' : 'UPDATE',
    object: objectOf('u1'),
    base,
    target: { content, fingerprint: `f-${content}` },
    user: id,
    admittedAt: NOW,
    wantedBy: [],
    ...more,
  };
}

const at = (version: string, content: string, dying = false): ProvenState => ({
  version,
  content,
  fingerprint: `f-${content}`,
  dying,
});
const on = (state: ProvenState, uid = 'u1') => ({ uid, state });
const live = (state: ProvenState, uid = 'u1'): LiveState => ({ uid, state });
const remove = (id: string, base: string, more: Partial<Attempt> = {}): Attempt =>
  attempt(id, base, '', { operation: 'DELETE' as Operation, ...more });

function verdicts(view: LedgerView, current: LiveState, now = NOW) {
  const proof = proveObject(view, current, now, DEFAULT_PROOF_LIMITS);
  return {
    // What came before is presumed to be in Git: a case of its own shows it.
    changes: proof.changes.map(describeChange).filter((text) => !text.startsWith('presumed')),
    dismissed: proof.dismissed.map((d) => `${d.attempt.id}:${d.reason}`),
    pending: proof.pending.map((a) => a.id),
  };
}

function describeChange(change: ProvenChange): string {
  if (change.kind === 'observed')
    return `${change.presumed === true ? 'presumed' : 'observed'} ${change.operation}@${change.version}`;
  const also = change.alsoRequestedBy.length > 0 ? `+${change.alsoRequestedBy.join('+')}` : '';
  return `${change.attempt.operation} by ${change.attempt.user}${also}@${change.version}`;
}

describe('proveObject', () => {
  it.each([
    {
      title: 'an update whose content is live was persisted',
      view: { attempts: [attempt('ann', '5', 'x')], states: [on(at('5', 'o'))] },
      live: live(at('6', 'x')),
      expected: { changes: ['UPDATE by ann@6'], dismissed: [], pending: [] },
    },
    {
      title: 'an update whose base is still live is pending',
      view: { attempts: [attempt('ann', '5', 'x')], states: [on(at('5', 'o'))] },
      live: live(at('5', 'o')),
      expected: { changes: [], dismissed: [], pending: ['ann'] },
    },
    {
      title: 'a creation that came and went between two others is told once a state of it is known',
      view: {
        settled: { uid: 'u0', version: '4', gone: true },
        attempts: [attempt('ann', null, 'x'), attempt('bob', null, 'y', { object: objectOf('u2') })],
        states: [on(at('5', 'x'))],
      },
      live: live(at('7', 'y'), 'u2'),
      expected: {
        changes: ['CREATE by ann@5', 'observed DELETE@5', 'CREATE by bob@7'],
        dismissed: [],
        pending: [],
      },
    },
    {
      title: 'so is one of which only the end was seen, by a watch of metadata',
      view: { attempts: [attempt('ann', null, 'x')], states: [on(at('6', ''))] },
      live: undefined,
      expected: { changes: ['CREATE by ann@6', 'observed DELETE@6'], dismissed: [], pending: [] },
    },
    {
      title: "an update whose base outlived the API server's request limit was rejected",
      view: { attempts: [attempt('ann', '5', 'x', { admittedAt: NOW - 70_000 })], states: [on(at('5', 'o'))] },
      live: live(at('5', 'o')),
      expected: { changes: [], dismissed: ['ann:rejected'], pending: [] },
    },
    {
      title: 'of two updates from one base the one that the next version holds was persisted',
      view: { attempts: [attempt('ann', '5', 'x'), attempt('bob', '5', 'y')], states: [on(at('5', 'o'))] },
      live: live(at('6', 'y')),
      expected: { changes: ['UPDATE by bob@6'], dismissed: ['ann:superseded'], pending: [] },
    },
    {
      title: 'the fingerprint decides between attempts with the same content',
      view: {
        attempts: [
          attempt('ann', '5', 'x', { target: { content: 'x', fingerprint: 'ann' } }),
          attempt('bob', '5', 'x', { target: { content: 'x', fingerprint: 'bob' } }),
        ],
        states: [on(at('5', 'o'))],
      },
      live: live({ ...at('6', 'x'), fingerprint: 'bob' }),
      expected: { changes: ['UPDATE by bob@6'], dismissed: ['ann:superseded'], pending: [] },
    },
    {
      title: 'users who ask for the very same state at the same time are both named: one of them was refused',
      view: {
        attempts: [attempt('ann', '5', 'x'), attempt('bob', '5', 'x', { admittedAt: NOW + 800 })],
        states: [on(at('5', 'o'))],
      },
      live: live(at('6', 'x')),
      expected: { changes: ['UPDATE by ann+bob@6'], dismissed: ['bob:superseded'], pending: [] },
    },
    {
      title: 'of users who ask for the very same state one after the other the earlier one was refused',
      view: {
        attempts: [attempt('ann', '5', 'x'), attempt('bob', '5', 'x', { admittedAt: NOW + 9000 })],
        states: [on(at('5', 'o'))],
      },
      live: live(at('6', 'x')),
      expected: { changes: ['UPDATE by bob@6'], dismissed: ['ann:superseded'], pending: [] },
    },
    {
      title: 'a change that nothing explains is observed, and the next one keeps its author',
      view: {
        attempts: [attempt('ann', '7', 'z')],
        states: [on(at('5', 'o')), on(at('7', 'y'))],
        settled: { uid: 'u1', version: '5', gone: false },
      },
      live: live(at('8', 'z')),
      expected: { changes: ['observed UPDATE@7', 'UPDATE by ann@8'], dismissed: [], pending: [] },
    },
    {
      title:
        'an object that nobody announced under the name of one that is gone is observed, then changed by its author',
      view: {
        attempts: [attempt('ann', '8', 'y', { object: { ...attempt('', '1', '').object, uid: 'u2' } })],
        states: [on(at('8', 'x'), 'u2')],
        settled: { uid: 'u1', version: '5', gone: true },
      },
      live: live(at('9', 'y'), 'u2'),
      expected: { changes: ['observed UPDATE@8', 'UPDATE by ann@9'], dismissed: [], pending: [] },
    },
    {
      title: 'an object that no rule selected at first is not observed under the name of one that is gone',
      view: {
        attempts: [],
        states: [on({ ...at('8', 'x'), unselected: true }, 'u2')],
        settled: { uid: 'u1', version: '5', gone: true },
      },
      live: live({ ...at('8', 'x'), unselected: true }, 'u2'),
      expected: { changes: [], dismissed: [], pending: [] },
    },
    {
      title: 'where the settled state was forgotten, the step to the next known one is explained by nothing',
      view: {
        attempts: [attempt('ann', '7', 'z')],
        states: [on(at('7', 'y'))],
        settled: { uid: 'u1', version: '5', gone: false },
      },
      live: live(at('8', 'z')),
      expected: { changes: ['observed UPDATE@7', 'UPDATE by ann@8'], dismissed: [], pending: [] },
    },
    {
      title: 'a status write moves the version and is no change',
      view: {
        attempts: [],
        states: [on(at('5', 'o'))],
        settled: { uid: 'u1', version: '5', gone: false },
      },
      live: live({ ...at('9', 'o'), fingerprint: 'other' }),
      expected: { changes: [], dismissed: [], pending: [] },
    },
    {
      title: 'a creation is persisted once its uid exists',
      view: { attempts: [attempt('ann', null, 'x')], states: [] },
      live: live(at('3', 'x')),
      expected: { changes: ['CREATE by ann@3'], dismissed: [], pending: [] },
    },
    {
      title: 'a creation of a name that another uid bears was rejected after the request limit',
      view: { attempts: [attempt('ann', null, 'x', { admittedAt: NOW - 70_000 })], states: [] },
      live: live(at('3', 'o'), 'u0'),
      expected: { changes: [], dismissed: ['ann:rejected'], pending: [] },
    },
    {
      title: 'an object that was created, changed and deleted before anybody looked is three changes',
      view: {
        attempts: [attempt('ann', null, 'x'), attempt('bob', '3', 'y'), remove('cat', '4')],
        states: [on(at('3', 'x')), on(at('4', 'y'))],
      },
      live: undefined,
      expected: { changes: ['CREATE by ann@3', 'UPDATE by bob@4', 'DELETE by cat@4'], dismissed: [], pending: [] },
    },
    {
      title: 'the first deletion that makes an object dying is the change, and what comes after is ignored',
      view: {
        attempts: [remove('ann', '5'), attempt('gc', '6', 'x'), remove('bob', '6', { admittedAt: NOW + 5000 })],
        states: [on(at('5', 'o')), on(at('6', 'o', true))],
      },
      live: undefined,
      expected: { changes: ['DELETE by ann@5'], dismissed: ['gc:dying', 'bob:dying'], pending: [] },
    },
    {
      title: 'users who ask for a deletion at the same time are both named',
      view: {
        attempts: [remove('ann', '5'), remove('bob', '5', { admittedAt: NOW + 1500 })],
        states: [on(at('5', 'o'))],
      },
      live: undefined,
      expected: { changes: ['DELETE by ann+bob@5'], dismissed: ['bob:superseded'], pending: [] },
    },
    {
      title: 'a denied deletion does not get the credit of a later one',
      view: {
        attempts: [remove('ann', '5', { admittedAt: NOW - 9000 }), remove('bob', '5')],
        states: [on(at('5', 'o'))],
      },
      live: undefined,
      expected: { changes: ['DELETE by bob@5'], dismissed: ['ann:superseded'], pending: [] },
    },
    {
      title: 'a deletion and a recreation under the same name come in this order',
      view: {
        attempts: [
          attempt('bob', null, 'y', { object: { ...attempt('', '1', '').object, uid: 'u2' } }),
          remove('ann', '5'),
        ],
        states: [on(at('5', 'o'))],
      },
      live: live(at('9', 'y'), 'u2'),
      expected: { changes: ['DELETE by ann@5', 'CREATE by bob@9'], dismissed: [], pending: [] },
    },
    {
      title: 'a late call about a uid that is gone never removes its successor',
      view: {
        attempts: [attempt('ann', '5', 'x')],
        states: [on(at('5', 'o')), on(at('9', 'y'), 'u2')],
        settled: { uid: 'u2', version: '9', gone: false },
      },
      live: live(at('9', 'y'), 'u2'),
      expected: { changes: [], dismissed: ['ann:superseded'], pending: [] },
    },
    {
      title: 'a no-op apply is no change',
      view: { attempts: [attempt('ann', '5', 'o')], states: [on(at('5', 'o'))] },
      live: live(at('5', 'o')),
      expected: { changes: [], dismissed: ['ann:unchanged'], pending: [] },
    },
    {
      title: 'where conversion changed the content, the fingerprint finds the attempt',
      view: {
        attempts: [attempt('ann', '5', 'x', { target: { content: 'as-admitted', fingerprint: 'f' } })],
        states: [on(at('5', 'o'))],
      },
      live: live({ ...at('6', 'with-default'), fingerprint: 'f' }),
      expected: { changes: ['UPDATE by ann@6'], dismissed: [], pending: [] },
    },
    {
      title: 'nobody hears that an object has gone that no rule selected at last',
      view: {
        attempts: [],
        states: [on({ ...at('6', 'x'), unselected: true })],
        settled: { uid: 'u1', version: '6', gone: false },
      },
      live: undefined,
      expected: { changes: [], dismissed: [], pending: [] },
    },
    {
      title: 'an object that left the selection and was deleted before anybody looked is not an unexplained deletion',
      view: {
        attempts: [{ ...attempt('ann', '5', 'x'), leaves: true }],
        states: [on(at('5', 'o'))],
        settled: { uid: 'u1', version: '5', gone: false },
      },
      live: undefined,
      expected: { changes: [], dismissed: ['ann:superseded'], pending: [] },
    },
    {
      title: 'of users who ask for a deletion at the same time one whom a rule wants is named first',
      view: {
        attempts: [
          remove('robot', '5'),
          remove('ann', '5', { admittedAt: NOW + 900, wantedBy: [{ namespace: 'a', name: 'r' }] }),
        ],
        states: [on(at('5', 'o'))],
      },
      live: undefined,
      expected: { changes: ['DELETE by ann+robot@5'], dismissed: ['robot:superseded'], pending: [] },
    },
    {
      title: 'versions are numbers: 10 comes after 9',
      view: { attempts: [attempt('ann', '9', 'x')], states: [on(at('9', 'o'))] },
      live: live(at('10', 'x')),
      expected: { changes: ['UPDATE by ann@10'], dismissed: [], pending: [] },
    },
  ])('finds that $title', ({ view, live: current, expected }) => {
    expect(verdicts(view, current)).toEqual(expected);
  });

  it('presumes that Git holds the first state of an object whose creation is not known, and tells it before what follows', () => {
    const facts = (attempts: Attempt[], state = at('5', 'o')): LedgerView => ({ attempts, states: [on(state)] });
    const changesOf = (view: LedgerView, current: LiveState): string[] =>
      proveObject(view, current, NOW, DEFAULT_PROOF_LIMITS).changes.map(describeChange);
    const update = attempt('ann', '5', 'x');
    expect(changesOf(facts([update]), live(at('6', 'x')))).toEqual(['presumed UPDATE@5', 'UPDATE by ann@6']);
    expect(changesOf(facts([remove('ann', '5')]), undefined)).toEqual(['presumed UPDATE@5', 'DELETE by ann@5']);
    expect(changesOf(facts([]), live(at('5', 'o')))).toEqual(['presumed UPDATE@5']);
    const known = { ...facts([update]), settled: { uid: 'u1', version: '5', gone: false } };
    expect(changesOf(known, live(at('6', 'x')))).toEqual(['UPDATE by ann@6']);
    expect(changesOf(facts([update], { ...at('5', 'o'), unselected: true }), live(at('6', 'x')))).toEqual([
      'UPDATE by ann@6',
    ]);
    expect(changesOf(facts([], at('5', '')), undefined)).toEqual(['observed DELETE@5']); // never seen whole
  });
});
