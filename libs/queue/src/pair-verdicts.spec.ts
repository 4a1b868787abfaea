import { describe, expect, it } from '@jest/globals';
import type { Change, ChangeVerdict } from '#domain';
import { pairVerdicts } from './pair-verdicts.ts';

const change = (eventId: string): Change => ({ eventId }) as Change;
const verdict = (eventId: string): ChangeVerdict => ({ result: 'unchanged', eventId });

describe('verdicts on a batch', () => {
  it('belong to its jobs in their order, also where several jobs have the same event', () => {
    const batch = new Map([
      ['e1/run1', change('e1')],
      ['e2', change('e2')],
      ['e1/run2', change('e1')],
    ]);
    const verdicts: ChangeVerdict[] = [
      verdict('e1'),
      verdict('e2'),
      { result: 'duplicate', eventId: 'e1', sha: 'abc' },
    ];
    expect([...pairVerdicts(batch, verdicts)]).toEqual([
      ['e1/run1', verdicts[0]],
      ['e2', verdicts[1]],
      ['e1/run2', verdicts[2]],
    ]);
  });

  it.each([
    ['too few', ['e1']],
    ['too many', ['e1', 'e2', 'e3']],
    ['in another order', ['e2', 'e1']],
    ['about something else', ['e1', 'e3']],
  ])('are not taken where they are %s', (_what, events) => {
    const batch = new Map([
      ['e1', change('e1')],
      ['e2', change('e2')],
    ]);
    expect(() => pairVerdicts(batch, events.map(verdict))).toThrow('A batch of 2 changes');
  });
});
