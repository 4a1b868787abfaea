import { describe, expect, it } from '@jest/globals';
import { StallWatch } from './stall-watch.ts';

describe('StallWatch', () => {
  const head = (id: string | undefined, heldMs = 0) => ({ id, heldMs });

  it('says that a queue has stalled once its head did not change for minutes, and again as long after', () => {
    const watch = new StallWatch();
    expect(watch.look(head('a'), 0)).toBe(false);
    expect(watch.look(head('a'), 149_999)).toBe(false);
    expect(watch.look(head('a'), 150_000)).toBe(true);
    expect(watch.look(head('a'), 152_000)).toBe(false);
    expect(watch.look(head('a'), 300_000)).toBe(true);
  });

  it.each([
    { title: 'moves', then: head('b') },
    { title: 'is empty', then: head(undefined) },
    { title: 'is held on purpose', then: head('a', 60_000) },
  ])('says nothing of a queue that $title', ({ then }) => {
    const watch = new StallWatch();
    watch.look(head('a'), 0);
    expect(watch.look(then, 150_000)).toBe(false);
    expect(watch.look(head('a'), 160_000)).toBe(false);
  });
});
