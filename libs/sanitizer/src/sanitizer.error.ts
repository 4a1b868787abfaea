import { CodedError } from '#domain';

/** `too-deep`: nested beyond {@link MAX_DEPTH}. `too-large`: the file would be longer than {@link MAX_TEXT_LENGTH}. */
export type SanitizerErrorCode = 'too-deep' | 'too-large';

/** Levels of nesting. The deepest schemas in use have about 60; the API server would take 10,000, which no stack here does. */
export const MAX_DEPTH = 500;

/**
 * Characters of one file, 32 Mi. An object has at most 1.5 MiB of JSON, so only one that is deep and wide at once gets here: each of its
 * lines begins with its indentation.
 */
export const MAX_TEXT_LENGTH = 32 * 1024 * 1024;

/** An object that can't become a file. Trying again does not help: a person must change the object or leave it out. */
export class SanitizerError extends CodedError<SanitizerErrorCode> {
  constructor(code: SanitizerErrorCode) {
    const fault = {
      'too-deep': `is nested deeper than ${MAX_DEPTH} levels`,
      'too-large': 'would make a file of over 32 MiB',
    };
    super(code, `the object ${fault[code]}: flatten it, or leave it out with gitops-reverser/ignore: "true"`, {
      retryable: false,
    });
  }
}
