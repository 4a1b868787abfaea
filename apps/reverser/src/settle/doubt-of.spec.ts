import { describe, expect, it } from '@jest/globals';
import type { Doubt, Proof, ProvenChange } from '#ledger';
import { doubtOf } from './doubt-of.ts';

const NOW = 100_000;
const CLOCKS = { now: NOW, redisNow: 500_000 };
const proofOf = (doubts: string[], ...changes: ProvenChange[]): Proof => ({
  ...{ changes, dismissed: [], pending: [], settled: undefined, doubts },
});
const known = (about: string[], ago: number, firstAgo = ago): Doubt => ({
  about,
  since: CLOCKS.redisNow - ago,
  first: CLOCKS.redisNow - firstAgo,
});
const presumed = (writtenAt?: number): ProvenChange => ({
  ...{ kind: 'observed', operation: 'UPDATE', uid: 'u1', version: '5', content: 'c', presumed: true },
  ...(writtenAt !== undefined && { writtenAt }),
});

describe('doubtOf', () => {
  it('is nothing where all is explained', () => {
    expect(doubtOf(proofOf([]), known(['gone'], 10), CLOCKS)).toBeUndefined();
  });

  it('begins when a doubt comes up, and stays as old as it is while no other one joins it', () => {
    expect(doubtOf(proofOf(['gone']), undefined, CLOCKS)).toEqual(known(['gone'], 0));
    expect(doubtOf(proofOf(['gone']), known(['gone'], 300), CLOCKS)).toEqual(known(['gone'], 300));
    expect(doubtOf(proofOf(['gone']), known(['step', 'gone'], 300), CLOCKS)).toEqual(known(['gone'], 300));
  });

  it('begins anew with each other doubt, also where the newest verdict stays the same', () => {
    const joined = proofOf(['step', 'gone']);
    expect(doubtOf(joined, known(['gone'], 300, 400), CLOCKS)).toEqual(known(['step', 'gone'], 0, 400));
  });

  it('does not go on like that for ever', () => {
    expect(doubtOf(proofOf(['other']), known(['gone'], 300, 11_000), CLOCKS)).toEqual(known(['other'], 300, 11_000));
  });

  it('is about the first state of a young object alone: an old one was there before anybody asked', () => {
    expect(doubtOf(proofOf([], presumed(NOW - 1_000)), undefined, CLOCKS)).toEqual(known(['u1 presumed'], 0));
    expect(doubtOf(proofOf([], presumed(NOW - 60_000)), undefined, CLOCKS)).toBeUndefined();
  });
});
