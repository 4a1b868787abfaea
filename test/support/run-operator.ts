import { join } from 'node:path';
import { tryCommand, type CommandResult } from '../../tools/lib/run-command.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'reverser', 'src', 'main.js');
/** Far above what a start that fails takes. */
const LIMIT_MS = 30_000;

/** Runs the built operator to its end, with nothing but this environment. */
export function runOperator(env: Record<string, string>, args: string[] = []): Promise<CommandResult> {
  return tryCommand(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    timeoutMs: LIMIT_MS,
  });
}
