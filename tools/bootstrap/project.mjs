// Plain JavaScript for Node 20 and newer without dependencies: this runs on a fresh clone, before anything is installed.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const BIN = join(ROOT, 'node_modules', '.bin');

/** An error whose message is all that the user needs: no stack is shown. */
export class UserError extends Error {}

/** The PATH begins with the project's own tools, Node 26 among them. */
export function projectEnv(extra = {}) {
  return { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}`, ...extra };
}

/**
 * Runs a command to its end with this terminal as its own, hands signals on to it, and returns its exit code.
 * With `quiet`, its output is kept back and returned instead.
 */
export function run(command, args, { env = projectEnv(), quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' });
    let output = '';
    for (const stream of quiet ? [child.stdout, child.stderr] : []) stream.on('data', (chunk) => (output += chunk));
    // A terminal sends Ctrl-C to the child as well; a program that signals us does not.
    const handlers = {
      SIGINT: () => process.stdin.isTTY || child.kill('SIGINT'),
      SIGTERM: () => child.kill('SIGTERM'),
      SIGHUP: () => child.kill('SIGHUP'),
    };
    for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
    child.once('error', (error) => reject(new UserError(`Cannot run ${command}: ${error.message}`)));
    child.once('close', (code, signal) => {
      for (const [name, handler] of Object.entries(handlers)) process.off(name, handler);
      resolve({ code: code ?? 128 + (constants.signals[signal] ?? 0), output });
    });
  });
}
