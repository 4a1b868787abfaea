import { describe, expect, it } from '@jest/globals';
import type { Attempt, ProvenState } from '#domain';
import { stateText } from '#ledger';
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
const proofOf = (...changes: ProvenChange[]): Proof => ({
  changes,
  dismissed: [],
  pending: [],
  settled: undefined,
  doubts: [],
});

function entryOf(known: { attempts?: Attempt[]; states?: [ProvenState, string][] } = {}): LedgerEntry {
  const { attempts = [], states = [] } = known;
  return {
    object: OBJECT,
    view: { attempts, states: states.map(([state]) => ({ uid: 'u1', state })) },
    contents: new Map([
      ...attempts.flatMap(({ id, content }) => (content === undefined ? [] : [[id, content] as const])),
      ...states.map(([state, content]) => [stateText(state), content] as const),
    ]),
    looks: [],
    revision: '',
    doubt: undefined,
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

  it('commits nothing beyond what the proof has told', () => {
    const told = proofOf(persisted(attempt('a'), '6'));
    const { changes } = planChanges(told, entryOf({ attempts: [attempt('a')] }), liveAt('9'), NOW);
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

  it('dates an observed state by its own last write, and says where Git should hold it already', () => {
    const first = observed('6', { writtenAt: 4_000, presumed: true });
    const [routed] = planChanges(proofOf(first), entryOf(), liveAt('6'), NOW).changes;
    expect(routed!.change).toMatchObject({ eventId: 'observed/u1/6', admittedAt: 4_000, presumed: true });
    const [later] = planChanges(proofOf(observed('6')), entryOf(), liveAt('6'), NOW).changes;
    expect(later!.change.admittedAt).toBe(NOW);
    expect(later!.change).not.toHaveProperty('presumed');
  });

  it('tells those of the first state of an object that is gone who hold its states, whoever deleted it', () => {
    const deletion = attempt('x', { operation: 'DELETE', base: '5', wantedBy: [], keptBy: [GREEN] });
    const state = stateAt('5', 'c-5');
    const entry = entryOf({ attempts: [deletion], states: [[state, 'file at 5']] });
    const proof = proofOf(observed('5', { presumed: true }), persisted(deletion, '5'));
    expect(summary(planChanges(proof, entry, undefined, NOW)).changes).toEqual([
      ['observed/u1/5', 'file at 5', ['green']],
    ]);
  });
});
