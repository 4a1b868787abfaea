import { describe, expect, it } from '@jest/globals';
import { repositoryConditions } from './repository-state.ts';
import type { RepositoryState } from './repository-state.ts';

const NOW = Date.parse('2026-01-31T18:30:00Z');
const statuses = (phase: RepositoryState['phase']): Record<string, string> =>
  Object.fromEntries(
    repositoryConditions([], { phase, reason: 'Because', message: 'Do this.' }, 3, NOW).map(({ type, status }) => [
      type,
      status,
    ]),
  );

describe('repositoryConditions', () => {
  it.each<[RepositoryState['phase'], string, boolean, boolean]>([
    ['ready', 'True', false, false],
    ['probing', 'Unknown', true, false],
    ['waiting', 'False', true, false],
    ['stalled', 'False', false, true],
    ['suspended', 'False', false, true],
  ])('of a repository that is %s: Ready=%s, Reconciling %s, Stalled %s', (phase, ready, reconciling, stalled) => {
    const seen = statuses(phase);
    expect(seen['Reconciling'] === 'True').toBe(reconciling);
    expect(seen['Stalled'] === 'True').toBe(stalled);
    if (phase === 'probing') expect(seen['Ready']).not.toBe('True');
    else expect(seen['Ready']).toBe(ready);
  });

  it('carry reason, message and generation', () => {
    const state: RepositoryState = { phase: 'stalled', reason: 'SecretNotFound', message: 'Create it.' };
    const ready = repositoryConditions([], state, 7, NOW).find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ reason: 'SecretNotFound', message: 'Create it.', observedGeneration: 7 });
  });

  it('keep the time of the last transition while the status stays', () => {
    const waiting: RepositoryState = { phase: 'waiting', reason: 'HostUnknown', message: 'a' };
    const first = repositoryConditions([], waiting, 1, NOW);
    const second = repositoryConditions(first, { ...waiting, message: 'b' }, 1, NOW + 60_000);
    const time = (conditions: typeof first): unknown =>
      conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime;
    expect(time(second)).toBe(time(first));
    const third = repositoryConditions(second, { phase: 'ready', reason: 'Ready', message: '' }, 1, NOW + 120_000);
    expect(time(third)).not.toBe(time(first));
  });
});
