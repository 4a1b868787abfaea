import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { tellReaper } from './reaper.ts';

export interface ChildOptions {
  /** For messages: `kube-apiserver`, `redis`, … */
  name: string;
  command: string;
  args: string[];
  cwd?: string;
  /** The whole environment; this process's own by default. */
  env?: NodeJS.ProcessEnv;
  /** Called with each line of its standard output and standard error. */
  onLine?: (line: string) => void;
}

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that this one started and that does not outlive it. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Settles when it has ended and its output is read; never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** `undefined` while it runs. */
  readonly status: ExitStatus | undefined;
  /** The last lines that it printed. */
  tail(lines?: number): string;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end, and kills it when it has not after `graceMs` (5,000 by default). */
  stop(graceMs?: number): Promise<ExitStatus>;
  /** kill -9. */
  kill(): Promise<ExitStatus>;
}

const KEPT_LINES = 500;

/** Starts a process outside the terminal's process group, so that Ctrl-C reaches it only through its owner. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      options.onLine?.(line);
    });
  }
  let status: ExitStatus | undefined;
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('close', (code, signal) => resolve((status ??= { code, signal })));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new Error(`Cannot start ${options.name}: ${cause.message}`, { cause })));
  });
  const pid = child.pid!;
  tellReaper('pid', pid);
  child.once('exit', (code, signal) => {
    status = { code, signal };
    tellReaper('gone', pid);
  });
  const signal = (name: NodeJS.Signals): void => void (status === undefined && child.kill(name));
  return {
    name: options.name,
    pid,
    exited,
    get status() {
      return status;
    },
    tail: (count = 30) => lines.slice(-count).join('\n'),
    signal,
    stop: async (graceMs = 5_000) => {
      signal('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), graceMs);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
    kill: () => {
      signal('SIGKILL');
      return exited;
    },
  };
}
