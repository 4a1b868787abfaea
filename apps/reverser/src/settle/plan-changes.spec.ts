import { describe, expect, it } from '@jest/globals';
import type { Attempt, ProvenState } from '#domain';
import type { LedgerEntry, Proof, ProvenChange } from '#ledger';
import { planChanges } from './plan-changes.ts';
import type { LiveView } from './plan-changes.ts';

const NOW = 5_000;
const OBJECT = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  namespace: 'shop',
  name: 'a',
  uid: 'u1',
};
const BLUE = { namespace: 'shop', name: 'blue' };
const GREEN = { namespace: 'shop', name: 'green' };

const attempt = (id: string, more: Partial<Attempt> = {}): Attempt => ({
  id,
  operation: 'UPDATE',
  object: OBJECT,
  base: '5',
  target: { content: `c-${id}`, fingerprint: `f-${id}` },
  user: 'alice',
  admittedAt: 1_000,
  wantedBy: [BLUE],
  content: `file of ${id}`,
  ...more,
});
const stateAt = (version: string, content: string): ProvenState => ({
  version,
  content,
  fingerprint: '',
  dying: false,
});

const persisted = (change: Attempt, version: string, more: object = {}): ProvenChange => ({
  kind: 'persisted',
  attempt: change,
  version,
  converted: undefined,
  alsoRequestedBy: [],
  ...more,
});
const observed = (version: string, more: object = {}): ProvenChange => ({
  kind: 'observed',
  operation: 'UPDATE',
  uid: 'u1',
  version,
  content: `c-${version}`,
  ...more,
});
const proofOf = (...changes: ProvenChange[]): Proof => ({ changes, dismissed: [], pending: [], settled: undefined });

function entryOf(known: { attempts?: Attempt[]; states?: [ProvenState, string][]; touch?: boolean } = {}): LedgerEntry {
  const { attempts = [], states = [], touch = false } = known;
  return {
    object: OBJECT,
    view: { attempts, states: states.map(([state]) => ({ uid: 'u1', state })) },
    contents: new Map([
      ...attempts.flatMap(({ id, content }) => (content === undefined ? [] : [[id, content] as const])),
      ...states.map(([state, content]) => [state.content, content] as const),
    ]),
    touched: touch,
    doubtedSince: undefined,
    watchers: { UPDATE: [], DELETE: [] },
    withheld: undefined,
    fields: [],
  };
}

const liveAt = (version: string, more: Partial<LiveView> = {}): LiveView => ({
  ref: OBJECT,
  version,
  content: `live file at ${version}`,
  managers: ['kubectl-edit'],
  watchers: { UPDATE: [BLUE], DELETE: [BLUE, GREEN] },
  ...more,
});

const summary = ({ changes, unseen }: ReturnType<typeof planChanges>) => ({
  changes: changes.map(({ change, repositories }) => [
    change.eventId,
    change.content,
    repositories.map(({ name }) => name),
  ]),
  unseen: unseen.map(({ version }) => version),
});

describe('planChanges', () => {
  it('writes what an attempt asked for, to who wanted it, in the version that proved it', () => {
    const update = attempt('x', { wantedBy: [BLUE, GREEN] });
    const { changes } = planChanges(proofOf(persisted(update, '6')), entryOf({ attempts: [update] }), liveAt('9'), NOW);
    expect(changes).toEqual([
      {
        repositories: [BLUE, GREEN],
        change: expect.objectContaining({
          eventId: 'x',
          origin: 'admitted',
          operation: 'UPDATE',
          user: 'alice',
          admittedAt: 1_000,
          resourceVersion: '6',
          content: 'file of x',
        }) as unknown,
      },
    ]);
  });

  it('keeps the order of the proof', () => {
    const updates = ['x', 'y', 'z'].map((id) => attempt(id));
    const proof = proofOf(...updates.map((update, index) => persisted(update, String(6 + index))));
    const planned = summary(planChanges(proof, entryOf({ attempts: updates }), undefined, NOW));
    expect(planned.changes.map(([id]) => id)).toEqual(['x', 'y', 'z']);
  });

  it('removes the file for a deletion, and names who else asked', () => {
    const deletion = attempt('x', { operation: 'DELETE' });
    const proof = proofOf(persisted(deletion, '6', { alsoRequestedBy: ['bob'] }));
    const [planned] = planChanges(proof, entryOf({ attempts: [deletion] }), undefined, NOW).changes;
    expect(planned!.change).toMatchObject({ operation: 'DELETE', content: null, alsoRequestedBy: ['bob'] });
  });

  it('writes nothing that nobody wanted', () => {
    const update = attempt('x', { wantedBy: [] });
    expect(summary(planChanges(proofOf(persisted(update, '6')), entryOf(), liveAt('6'), NOW))).toEqual({
      changes: [],
      unseen: [],
    });
  });

  it('writes what was stored where conversion changed what was asked', () => {
    const update = attempt('x');
    const converted = stateAt('6', 'c-converted');
    const proof = proofOf(persisted(update, '6', { converted }));
    const live = summary(planChanges(proof, entryOf({ attempts: [update] }), liveAt('6'), NOW));
    expect(live.changes).toEqual([['x', 'live file at 6', ['blue']]]);
    const entry = entryOf({ attempts: [update], states: [[converted, 'stored file']] });
    expect(summary(planChanges(proof, entry, liveAt('7'), NOW)).changes).toEqual([['x', 'stored file', ['blue']]]);
  });

  it('says which proven change can not be written because nobody saw its content', () => {
    const update = attempt('x', { content: undefined });
    const planned = planChanges(proofOf(persisted(update, '6'), observed('7')), entryOf(), liveAt('8'), NOW);
    expect(summary(planned)).toEqual({ changes: [], unseen: ['6', '7'] });
  });

  it('commits an observed change without an author, for those whose rules select the object', () => {
    const { changes } = planChanges(proofOf(observed('6')), entryOf(), liveAt('6'), NOW);
    expect(changes).toEqual([
      {
        repositories: [BLUE],
        change: expect.objectContaining({
          eventId: 'observed/u1/6',
          origin: 'observed',
          user: '',
          admittedAt: NOW,
          content: 'live file at 6',
          managers: ['kubectl-edit'],
        }) as unknown,
      },
    ]);
  });

  it('names no manager of an observed change that is not the newest state', () => {
    const entry = entryOf({ states: [[stateAt('6', 'c-6'), 'file at 6']] });
    const [planned] = planChanges(proofOf(observed('6')), entry, liveAt('7'), NOW).changes;
    expect(planned!.change).toMatchObject({ content: 'file at 6', managers: [] });
  });

  it('tells those of an unexplained state who wanted the next write, where the object has left the selection since', () => {
    const next = attempt('next', { base: '7' });
    const live = liveAt('9', { watchers: { UPDATE: [], DELETE: [] } });
    const entry = entryOf({ attempts: [next], states: [[stateAt('7', 'c-7'), 'file at 7']] });
    const { changes } = planChanges(proofOf(observed('7')), entry, live, NOW);
    expect(changes.map(({ repositories }) => repositories)).toEqual([[BLUE]]);
  });

  it('never brings back a dying object that somebody asked to look at', () => {
    const { changes } = planChanges(proofOf(), entryOf({ touch: true }), liveAt('9', { dying: true }), NOW);
    expect(changes).toEqual([]);
  });

  it('commits no look at an object whose changes the proof has told', () => {
    const told = proofOf(persisted(attempt('a'), '6'));
    const { changes } = planChanges(told, entryOf({ attempts: [attempt('a')], touch: true }), liveAt('9'), NOW);
    expect(changes.map(({ change }) => change.eventId)).toEqual(['a']);
  });

  it('gives the removal of a version another id than that version', () => {
    const deletion = observed('6', { operation: 'DELETE', content: '' });
    const planned = summary(planChanges(proofOf(observed('6'), deletion), entryOf(), liveAt('6'), NOW));
    expect(planned.changes).toEqual([
      ['observed/u1/6', 'live file at 6', ['blue']],
      ['observed/u1/6/deleted', null, ['blue', 'green']],
    ]);
  });

  it('tells those of an unexplained end who wanted the last attempt', () => {
    const entry = entryOf({ attempts: [attempt('x', { wantedBy: [GREEN] })] });
    const deletion = observed('6', { operation: 'DELETE', content: '' });
    expect(summary(planChanges(proofOf(deletion), entry, undefined, NOW)).changes).toEqual([
      ['observed/u1/6/deleted', null, ['green']],
    ]);
  });

  describe('of a call whose content could not be read', () => {
    const touched = entryOf({ touch: true });

    it('commits the live state as observed', () => {
      expect(summary(planChanges(proofOf(), touched, liveAt('6'), NOW)).changes).toEqual([
        ['observed/u1/6', 'live file at 6', ['blue']],
      ]);
    });

    it.each<[string, LedgerEntry, LiveView | undefined]>([
      ['nothing was touched', entryOf(), liveAt('6')],
      ['the object is gone', touched, undefined],
      ['no rule selects it', touched, liveAt('6', { watchers: { UPDATE: [], DELETE: [] } })],
      [
        'the ledger goes on from a version of it: the proof finds what differs',
        { ...touched, view: { ...touched.view, settled: { uid: 'u1', version: '5', gone: false } } },
        liveAt('6'),
      ],
    ])('commits nothing where %s', (_title, entry, live) => {
      expect(planChanges(proofOf(), entry, live, NOW).changes).toEqual([]);
    });

    it('commits it once where an attempt explains it', () => {
      const update = attempt('x');
      const entry = entryOf({ attempts: [update], touch: true });
      const planned = summary(planChanges(proofOf(persisted(update, '6')), entry, liveAt('6'), NOW));
      expect(planned.changes.map(([id]) => id)).toEqual(['x']);
    });
  });
});
