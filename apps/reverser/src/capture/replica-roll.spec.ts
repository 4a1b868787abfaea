import { describe, expect, it } from '@jest/globals';
import { ReplicaRoll } from './replica-roll.ts';
import type { Beat } from './replica-roll.ts';

const heard = (beats: Record<string, Beat>): ReadonlyMap<string, Beat> => new Map(Object.entries(beats));

describe('ReplicaRoll', () => {
  it('has all once each replica has handed over what it answered before the moment', () => {
    const roll = new ReplicaRoll();
    roll.hear(heard({ a: { at: 1_000, upTo: 1_000 }, b: { at: 900, upTo: 700 } }), 1_000);
    expect(roll.upTo).toBeGreaterThanOrEqual(700);
    expect(roll.upTo).toBeLessThan(800);
    roll.hear(heard({ a: { at: 1_200, upTo: 1_200 }, b: { at: 1_100, upTo: 1_100 } }), 1_200);
    expect(roll.upTo).toBeGreaterThanOrEqual(800);
  });

  it('waits for a replica that lives and still holds records, however long', () => {
    const roll = new ReplicaRoll();
    roll.hear(heard({ a: { at: 90_000, upTo: 90_000 }, b: { at: 90_000, upTo: 1_000 } }), 90_000);
    expect(roll.upTo).toBeLessThan(2_000);
  });

  it('does not wait for a replica that was not heard for five seconds', () => {
    const roll = new ReplicaRoll();
    const dead = { at: 1_000, upTo: 1_000 };
    roll.hear(heard({ a: { at: 5_900, upTo: 5_900 }, dead }), 5_900);
    expect(roll.upTo).toBeLessThan(5_000);
    roll.hear(heard({ a: { at: 6_100, upTo: 6_100 }, dead }), 6_100);
    expect(roll.upTo).toBeGreaterThanOrEqual(5_000);
  });

  it('counts these five seconds anew after Redis was away: nobody could be heard meanwhile', () => {
    const roll = new ReplicaRoll();
    const other = { at: 1_000, upTo: 1_000 };
    roll.hear(heard({ a: { at: 1_000, upTo: 1_000 }, other }), 1_000);
    roll.breakOff();
    expect(roll.since).toBeUndefined();
    expect(roll.upTo).toBeLessThan(0);
    roll.hear(heard({ a: { at: 60_000, upTo: 60_000 }, other }), 60_000);
    expect(roll.since).toBe(60_000);
    expect(roll.upTo).toBeLessThan(60_000);
    roll.hear(heard({ a: { at: 65_100, upTo: 65_100 }, other }), 65_100);
    expect(roll.upTo).toBeGreaterThanOrEqual(60_000);
  });

  it('still knows the replicas that a Redis which was emptied has forgotten', () => {
    const roll = new ReplicaRoll();
    roll.hear(heard({ a: { at: 1_000, upTo: 1_000 }, b: { at: 1_000, upTo: 1_000 } }), 1_000);
    roll.breakOff();
    roll.hear(heard({ a: { at: 3_000, upTo: 3_000 } }), 3_000);
    expect(roll.upTo).toBeLessThan(3_000);
  });

  it('knows of no break where there was none', () => {
    const roll = new ReplicaRoll();
    expect(roll.since).toBe(0);
    expect(roll.upTo).toBeGreaterThanOrEqual(0);
  });
});
