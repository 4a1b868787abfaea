import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { join } from 'node:path';

let input: Writable | undefined;

/**
 * Tells the reaper, a small process of its own, what to clean up when this process is gone: by Ctrl-C, an uncaught
 * error or `kill -9`. Exit handlers alone would miss the last one, and Jest's workers never run them.
 */
export function tellReaper(word: 'pid' | 'gone' | 'dir' | 'removed', value: string | number): void {
  if (String(value).includes('\n')) throw new Error('A path with a line break cannot be cleaned up');
  input ??= startReaper();
  input.write(`${word} ${value}\n`);
}

function startReaper(): Writable {
  const reaper = spawn('sh', [join(import.meta.dirname, 'reaper.sh')], {
    detached: true, // out of the terminal's process group: Ctrl-C must not end it first
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  reaper.unref();
  reaper.stdin.on('error', () => {
    input = undefined; // somebody ended it: the next call starts another
  });
  (reaper.stdin as Writable & { unref?(): void }).unref?.();
  return reaper.stdin;
}
