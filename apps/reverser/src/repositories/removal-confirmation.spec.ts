import { beforeEach, describe, expect, it } from '@jest/globals';
import { RemovalConfirmation } from './removal-confirmation.ts';
import type { HandledValues } from './removal-confirmation.ts';

describe("a person's word for a removal", () => {
  let known: Map<string, string>;
  let away: boolean;
  const values: HandledValues = {
    read: (uid) => (away ? Promise.reject(new Error('away')) : Promise.resolve(known.get(uid))),
    write: (uid, value) => (away ? Promise.reject(new Error('away')) : Promise.resolve(void known.set(uid, value))),
  };
  beforeEach(() => {
    known = new Map();
    away = false;
  });
  const replica = async (): Promise<RemovalConfirmation> => {
    const confirmation = new RemovalConfirmation('uid', values);
    await confirmation.load();
    return confirmation;
  };

  it('is spent with the removal that it allowed, for every replica', async () => {
    const one = await replica();
    expect(one.allowed('60')).toBe(60);
    one.removed(60, '60');
    await one.remember();
    for (const each of [one, await replica()]) {
      expect(each.allowed('60')).toBeUndefined();
      expect(each.wanted(60)).toBe('60/2');
      expect(each.wasFor(60)).toBe(true);
    }
  });

  it('is not spent by a removal that it did not allow', async () => {
    const one = await replica();
    for (const count of [0, 10, 59]) one.removed(count, '60');
    one.removed(60, undefined);
    await one.remember();
    expect(one.allowed('60')).toBe(60);
    expect(known.size).toBe(0);
  });

  it('stays spent while Redis is away, and is remembered once it is back', async () => {
    const one = await replica();
    one.removed(60, '60');
    away = true;
    await expect(one.remember()).rejects.toThrow('away');
    await one.load();
    expect(one.allowed('60')).toBeUndefined();
    away = false;
    await one.remember();
    expect(known.get('uid')).toBe('60');
  });
});
