import { describe, expect, it } from '@jest/globals';
import { RULE_REASONS, ruleStatus } from './rule-status.ts';
import type { RuleState } from './rule-status.ts';

const NOW = Date.parse('2026-01-31T18:30:00Z');
const state = (phase: RuleState['phase'], more: Partial<RuleState> = {}): RuleState => ({
  phase,
  reason: RULE_REASONS.ready,
  message: '2 kinds are captured.',
  matchedResources: ['v1/configmaps', 'v1/secrets'],
  ...more,
});
const statuses = (status: ReturnType<typeof ruleStatus>): Record<string, string> =>
  Object.fromEntries(status.conditions.map((condition) => [condition.type, condition.status]));

describe('ruleStatus', () => {
  it.each([
    ['ready', { Ready: 'True' }],
    ['progressing', { Ready: 'False', Reconciling: 'True' }],
    ['stalled', { Ready: 'False', Stalled: 'True' }],
  ] as const)('of a rule that is %s has the conditions %j', (phase, expected) => {
    expect(statuses(ruleStatus([], state(phase), 3, NOW))).toEqual(expected);
  });

  it('tells what is matched, how much, and of which generation it speaks', () => {
    expect(ruleStatus([], state('ready'), 3, NOW)).toEqual({
      observedGeneration: 3,
      matchedResources: ['v1/configmaps', 'v1/secrets'],
      matchedResourceCount: 2,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Ready',
          message: '2 kinds are captured.',
          observedGeneration: 3,
          lastTransitionTime: '2026-01-31T18:30:00Z',
        },
      ],
    });
  });

  it('keeps the time of a condition that stays as it is', () => {
    const before = ruleStatus([], state('ready'), 3, NOW - 60_000);
    const [ready] = ruleStatus(before.conditions, state('ready'), 4, NOW).conditions;
    expect(ready).toMatchObject({ lastTransitionTime: '2026-01-31T18:29:00Z', observedGeneration: 4 });
  });

  it('takes back Stalled when the rule is well again', () => {
    const before = ruleStatus([], state('stalled', { reason: RULE_REASONS.invalidSpec }), 3, NOW - 60_000);
    expect(statuses(ruleStatus(before.conditions, state('ready'), 4, NOW))).toEqual({ Ready: 'True' });
  });
});
