import { describe, expect, it } from '@jest/globals';
import { setCondition, setReadiness } from './conditions.ts';

const FIRST = Date.UTC(2026, 0, 31, 18, 30);
const LATER = FIRST + 60_000;
const READY = { type: 'Ready', status: 'True', reason: 'Synced', message: 'fine', observedGeneration: 1 } as const;

describe('setCondition', () => {
  it('adds a condition with the time of its transition', () => {
    expect(setCondition([], READY, FIRST)).toEqual([{ ...READY, lastTransitionTime: '2026-01-31T18:30:00Z' }]);
  });

  it('keeps the transition time while only reason and message change', () => {
    const [condition] = setCondition(
      setCondition([], READY, FIRST),
      { ...READY, reason: 'Pushed', message: 'new' },
      LATER,
    );

    expect(condition).toMatchObject({ reason: 'Pushed', message: 'new', lastTransitionTime: '2026-01-31T18:30:00Z' });
  });

  it('moves the transition time with the status', () => {
    const [condition] = setCondition(setCondition([], READY, FIRST), { ...READY, status: 'False' }, LATER);

    expect(condition?.lastTransitionTime).toBe('2026-01-31T18:31:00Z');
  });

  it('leaves other conditions and their order alone', () => {
    const other = { ...READY, type: 'Other' };
    const both = setCondition(setCondition([], other, FIRST), READY, FIRST);

    expect(setCondition(both, { ...other, status: 'False' }, LATER).map(({ type, status }) => [type, status])).toEqual([
      ['Other', 'False'],
      ['Ready', 'True'],
    ]);
  });
});

describe('setReadiness', () => {
  const detail = { reason: 'Why', message: '', observedGeneration: 2 };
  const summary = (conditions: ReturnType<typeof setReadiness>): string[] =>
    conditions.map(({ type, status }) => `${type}=${status}`);

  it.each([
    ['ready', ['Ready=True']],
    ['reconciling', ['Ready=False', 'Reconciling=True']],
    ['stalled', ['Ready=False', 'Stalled=True']],
  ] as const)('%s is %j, whatever was before', (readiness, expected) => {
    for (const before of ['ready', 'reconciling', 'stalled'] as const) {
      expect(summary(setReadiness(setReadiness([], before, detail, FIRST), readiness, detail, LATER))).toEqual(
        expected,
      );
    }
  });
});
