import { describe, expect, it } from '@jest/globals';
import { EventAggregator, MAX_NOTE, buildEvent } from './aggregate-events.ts';
import type { EventRecord } from './aggregate-events.ts';

const EVENT: EventRecord = {
  regarding: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop', uid: 'u' } },
  type: 'Warning',
  reason: 'PushFailed',
  message: 'why',
  action: 'Push',
};
const MINUTE = 60_000;

describe('EventAggregator', () => {
  it('writes the first event, then counts, and writes the count twice a minute at most', () => {
    const aggregator = new EventAggregator();

    const decisions = [0, 1000, 29_000, 30_000, 31_000].map((now) => aggregator.record(EVENT, now));
    const last = decisions.at(-1);

    expect(decisions.map(({ write }) => write)).toEqual(['create', 'later', 'later', 'series', 'later']);
    if (last?.write !== 'later') throw new Error('unreachable');
    expect(last.at).toBe(MINUTE);
    expect(aggregator.due(last.key, MINUTE - 1)).toBeUndefined();
    expect(aggregator.due(last.key, MINUTE)).toMatchObject({ count: 5 });
    expect(aggregator.due(last.key, 10 * MINUTE)).toBeUndefined();
  });

  it('begins a new event after six quiet minutes', () => {
    const aggregator = new EventAggregator();
    aggregator.record(EVENT, 0);

    expect(aggregator.record(EVENT, 7 * MINUTE).write).toBe('create');
  });

  it('drops a flood of different events for one object, and no other object suffers', () => {
    const aggregator = new EventAggregator();
    const flood = Array.from(
      { length: 40 },
      (_, index) => aggregator.record({ ...EVENT, message: `${index}` }, 0).write,
    );
    const other = { ...EVENT, regarding: { ...EVENT.regarding, metadata: { name: 'b', uid: 'v' } } };

    expect(flood.filter((write) => write === 'create')).toHaveLength(25);
    expect(flood.at(-1)).toBe('drop');
    expect(aggregator.record(other, 0).write).toBe('create');
    expect(aggregator.record({ ...EVENT, message: 'later' }, MINUTE).write).toBe('create');
  });
});

describe('buildEvent', () => {
  const at = { now: Date.UTC(2026, 0, 1), suffix: 'ff', controller: 'c', instance: 'i' };

  it('cuts a long message to the bytes that the API takes, between characters', () => {
    const note = buildEvent({ ...EVENT, message: 'ü'.repeat(2000) }, at)['note'] as string;

    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(MAX_NOTE);
    expect(note).toMatch(/^ü+…$/);
  });

  it.each([
    ['system:Node_x', 'system-node-x.ff'],
    ['-.-', 'event.ff'],
    ['a'.repeat(253), `${'a'.repeat(200)}.ff`],
  ])('makes a valid name of %j', (name, expected) => {
    const regarding = { ...EVENT.regarding, metadata: { name, uid: 'u' } };

    expect(buildEvent({ ...EVENT, regarding }, at).metadata).toEqual({ name: expected, namespace: 'default' });
  });
});
