/**
 * An error that was classified at the edge where it arose. `code` comes from the library's own union and is safe as a
 * condition reason and a metric label; `message` says what to do and never holds a secret. Not retryable: a person must act.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly retryable: boolean;

  constructor(code: Code, message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable;
  }
}
