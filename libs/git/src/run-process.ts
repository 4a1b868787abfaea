import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface ProcessRequest {
  command: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Written to the process, then its input is closed. */
  input?: Iterable<Buffer>;
  /** After this many milliseconds the process and all that it started are killed. */
  timeLimit: number;
  signal?: AbortSignal | undefined;
  /** More standard output than this many bytes kills the process. Of standard error, the last 64 KiB are kept. */
  outputLimit?: number;
}

export interface ProcessResult {
  /** null where a signal ended it. */
  exitCode: number | null;
  stdout: Buffer;
  stderr: string;
  /** Why we killed it, where we did. */
  killedBy?: 'time-limit' | 'abort' | 'output-limit';
  /** It could not be started at all. */
  startError?: NodeJS.ErrnoException;
}

const STDERR_LIMIT = 64 * 1024;

/** The one place that starts processes: no shell, an own environment, an own process group, bounded time and output. */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  if (request.signal?.aborted === true)
    return { exitCode: null, stdout: Buffer.alloc(0), stderr: '', killedBy: 'abort' };
  const child = spawn(request.command, request.args, {
    cwd: request.cwd,
    env: { ...request.env },
    detached: true, // an own group, so that ssh and remote helpers die with git
    stdio: ['pipe', 'pipe', 'pipe'],
    shell: false,
  });
  let killedBy: ProcessResult['killedBy'];
  let startError: NodeJS.ErrnoException | undefined;
  const kill = (reason: NonNullable<ProcessResult['killedBy']>): void => {
    killedBy ??= reason;
    killGroup(child.pid);
  };
  const onAbort = (): void => kill('abort');
  const timer = setTimeout(() => kill('time-limit'), request.timeLimit);
  request.signal?.addEventListener('abort', onAbort, { once: true });

  const stdout: Buffer[] = [];
  let stdoutSize = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    stdoutSize += chunk.length;
    if (stdoutSize > (request.outputLimit ?? 64 * 1024 * 1024)) kill('output-limit');
    else stdout.push(chunk);
  });
  let stderr = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_LIMIT);
  });
  const closed = new Promise<number | null>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      startError ??= error;
      if (child.pid === undefined) resolve(null);
    });
    child.once('close', (code) => resolve(code));
  });
  // A process that ends early closes its input; its exit code and messages say why.
  const fed = pipeline(Readable.from(request.input ?? []), child.stdin).catch(() => undefined);
  try {
    const exitCode = await closed;
    child.stdin.destroy();
    await fed;
    return {
      exitCode,
      stdout: Buffer.concat(stdout),
      stderr: stderr.toString('utf8'),
      ...(killedBy === undefined ? {} : { killedBy }),
      ...(startError === undefined ? {} : { startError }),
    };
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The whole group has ended already.
  }
}
