import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareHistory, judgeHistory } from './testing/judge-history.ts';
import { SimulatedCluster } from './testing/simulated-cluster.ts';
import type { Weather } from './testing/simulated-cluster.ts';

const FAIR: Weather = {
  lost: false,
  held: 0,
  late: false,
  unannounced: false,
  crashes: false,
  sharedManagers: false,
  history: false,
};

const runs = Number(process.env['PROOF_RUNS'] ?? 2000);
const entropy = fc.array(fc.nat(1_000_000), { minLength: 20, maxLength: 200 });

function play(numbers: number[], weather: Partial<Weather>): SimulatedCluster {
  const cluster = new SimulatedCluster([...numbers], { ...FAIR, ...weather });
  cluster.run();
  return cluster;
}

describe('the proof', () => {
  it.each<[string, Partial<Weather>]>([
    ['whatever the interleaving', {}],
    ['where records are held', { held: 1 }],
    ['where jobs crash', { crashes: true }],
    ['held and crash', { held: 1, crashes: true }],
  ])('finds every persisted change once, in order and with its author, %s', (_, weather) => {
    fc.assert(
      fc.property(entropy, (numbers) => {
        const { stored, found } = compareHistory(play(numbers, weather));
        expect(found).toEqual(stored);
      }),
      { numRuns: runs },
    );
  });

  it.each<[string, Partial<Weather>]>([
    ['lost', { lost: true }],
    ['late', { late: true }],
    ['unannounced', { unannounced: true }],
    ['all', { lost: true, held: 1, crashes: true, unannounced: true }],
    ['lost, with the API server’s history', { lost: true, history: true }],
    ['all, with the API server’s history', { lost: true, held: 1, crashes: true, unannounced: true, history: true }],
  ])('names nobody wrongly and misses nothing that can be known: %s', (_, weather) => {
    fc.assert(
      fc.property(entropy, (numbers) => {
        expect(judgeHistory(play(numbers, weather))).toEqual([]);
      }),
      { numRuns: runs },
    );
  });
});
