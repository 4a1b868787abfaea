import { parseArgs } from 'node:util';
import { FAULTS, type Fault } from './faults.ts';

export interface CommandOptions {
  seed: number;
  minutes: number;
  faults: Fault[];
  replicas: number;
  writers: number;
  longestPauseMs: number;
  keepGoing: boolean;
}

const USAGE = `Usage: npm run test:history -- [--seed N] [--minutes M] [--faults none|all|${FAULTS.join(',')}]
  [--replicas N] [--writers N] [--pause MS] [--keep-going]`;

/** Reads the command's arguments. Throws an error that says how it is used. */
export function parseOptions(args: string[], seed: number): CommandOptions {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: {
        ...{ seed: text, minutes: text, faults: text, replicas: text, writers: text, pause: text },
        'keep-going': { type: 'boolean' },
      },
    });
    return {
      seed: numberOf(values.seed, seed),
      minutes: numberOf(values.minutes, 1),
      faults: faultsOf(values.faults ?? 'all'),
      replicas: numberOf(values.replicas, 2),
      writers: numberOf(values.writers, 8),
      longestPauseMs: numberOf(values.pause, 100),
      keepGoing: values['keep-going'] ?? false,
    };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${USAGE}`, { cause: error });
  }
}

function numberOf(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`${text} is no number.`);
  return Number(text);
}

function faultsOf(text: string): Fault[] {
  if (text === 'none') return [];
  if (text === 'all') return [...FAULTS];
  const names = text.split(',');
  const unknown = names.find((name) => !FAULTS.includes(name as Fault));
  if (unknown !== undefined) throw new Error(`There is no fault ${unknown}.`);
  return names as Fault[];
}
