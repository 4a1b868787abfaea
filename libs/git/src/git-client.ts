import { existsSync } from 'node:fs';
import { GitResponseError, simpleGit } from 'simple-git';
import { classifyFailure, failureToError, type CommandFailure } from './classify-failure.ts';
import { redactSecrets } from './parse-credentials.ts';
import { runProcess } from './run-process.ts';

export interface CallOptions {
  signal?: AbortSignal | undefined;
  input?: Iterable<Buffer>;
  /** Milliseconds. */
  timeLimit?: number;
}

/** What a client needs to know of its repository and remote. */
export interface ClientSettings {
  /** The bare repository's folder. */
  folder: string;
  localEnvironment: Readonly<Record<string, string>>;
  remoteEnvironment: Readonly<Record<string, string>>;
  authenticated: boolean;
  secrets: readonly string[];
  /** Milliseconds that one exchange with the remote may take. */
  remoteTimeLimit: number;
}

/** How long a command that stays on this machine may take, in milliseconds. */
const LOCAL_TIME_LIMIT = 120_000;

/** How simple-git tells that Node could not start the program. */
const NOT_STARTED = /^(?:Error: )?spawn \S+ (E[A-Z]+)/;

/** Runs Git in one bare repository; every failure is a classified GitError without secrets. */
export class GitClient {
  constructor(private readonly settings: ClientSettings) {}

  /** A command that stays on this machine. */
  async local(args: readonly string[], options: { signal?: AbortSignal | undefined } = {}): Promise<string> {
    const { folder, localEnvironment } = this.settings;
    if (!existsSync(folder))
      throw this.failed({ command: 'local', exitCode: null, stderr: '', startError: {}, folderMissing: true });
    const git = simpleGit({
      baseDir: folder,
      allowEnvironment: Object.keys(localEnvironment),
      // simple-git asks to be told so: GIT_CONFIG_GLOBAL=/dev/null and an empty --template are ours, no user input is.
      unsafe: { allowUnsafeConfigPaths: true, allowUnsafeTemplateDir: true },
      timeout: { block: LOCAL_TIME_LIMIT },
      ...(options.signal === undefined ? {} : { abort: options.signal }),
    }).env({ ...localEnvironment });
    try {
      return await git.raw([...args]);
    } catch (error) {
      const stderr = error instanceof Error && !(error instanceof GitResponseError) ? error.message : String(error);
      const killedBy = options.signal?.aborted === true ? { killedBy: 'abort' as const } : {};
      const [, code] = NOT_STARTED.exec(stderr) ?? [];
      const startError = code === undefined ? {} : { startError: { code }, folderMissing: !existsSync(folder) };
      throw this.failed({ command: 'local', exitCode: null, stderr, ...killedBy, ...startError });
    }
  }

  /** A local command that is fed a stream. */
  async stream(args: readonly string[], options: CallOptions): Promise<string> {
    return this.run('local', args, this.settings.localEnvironment, { timeLimit: LOCAL_TIME_LIMIT, ...options });
  }

  /** A command that talks to the remote. */
  async remote(args: readonly string[], options: CallOptions = {}): Promise<string> {
    const command = args[0] ?? '';
    return this.run(command, args, this.settings.remoteEnvironment, {
      timeLimit: this.settings.remoteTimeLimit,
      ...options,
    });
  }

  private async run(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    options: CallOptions & { timeLimit: number },
  ): Promise<string> {
    const { folder } = this.settings;
    const result = await runProcess({ command: 'git', args, cwd: folder, env, ...options });
    if (result.exitCode === 0 && result.killedBy === undefined && result.startError === undefined) {
      return result.stdout.toString('utf8');
    }
    const folderMissing = result.startError !== undefined && !existsSync(folder);
    // `push --porcelain` says on standard output what became of each ref.
    const stderr = command === 'push' ? `${result.stderr}\n${result.stdout.toString('utf8')}` : result.stderr;
    throw this.failed({ ...result, command, stderr, folderMissing });
  }

  private failed(failure: Omit<CommandFailure, 'authenticated'>): Error {
    const whole = { ...failure, authenticated: this.settings.authenticated };
    const code = classifyFailure(whole);
    return failureToError(code, { ...whole, stderr: redactSecrets(failure.stderr, this.settings.secrets) });
  }
}
