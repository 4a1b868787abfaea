import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '../../support/wait-for.ts';

const TOOLS = join(import.meta.dirname, '..', '..', '..', 'tools', 'lib');

/** Starts a child and a temporary folder, prints both, and waits for its end to come. */
const PROGRAM = `
  import { startChild } from ${JSON.stringify(join(TOOLS, 'child-process.ts'))};
  import { makeTempDir } from ${JSON.stringify(join(TOOLS, 'temp-dir.ts'))};
  const dir = await makeTempDir('test');
  const child = await startChild({ name: 'sleep', command: 'sleep', args: ['600'] });
  console.log(JSON.stringify({ dir, pid: child.pid }));
  process.once('SIGUSR2', () => { throw new Error('uncaught'); });
  setInterval(() => {}, 1000);
`;

/** By its state: where nobody collects it, an ended orphan stays in the process table as a zombie. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

describe('what a program of ours started', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGKILL', 'SIGUSR2'] as const)('is gone after %s to that program', async (signal) => {
    const program = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(createInterface({ input: program.stdout }), 'line')) as [string];
    const { dir, pid } = JSON.parse(line) as { dir: string; pid: number };
    expect([isRunning(pid), existsSync(dir)]).toEqual([true, true]);
    program.kill(signal);
    await waitFor('child and folder to be gone', () => !isRunning(pid) && !existsSync(dir));
  });
});
