import { describe, expect, it } from '@jest/globals';
import type { Change } from '#domain';
import { isSlim, slimChange } from './slim-change.ts';

const change = (content: string | null): Change => ({ eventId: 'e1', operation: 'UPDATE', content }) as Change;

describe('a change that was written', () => {
  it('leaves a long content out and says how long it was', () => {
    const slim = slimChange(change('x'.repeat(100_000)));
    expect(slim).toEqual({ eventId: 'e1', operation: 'UPDATE', contentLength: 100_000 });
    expect(isSlim(slim!)).toBe(true);
  });

  it.each([
    ['a short content', 'x'.repeat(4_096)],
    ['no content, as a deletion', null],
  ])('stays as it is with %s', (_what, content) => {
    expect(slimChange(change(content))).toBeUndefined();
    expect(isSlim(change(content))).toBe(false);
  });
});
