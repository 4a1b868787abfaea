import { CodedError } from '#domain';

/** Every way in which writing to a remote repository can fail, with whether waiting may heal it. */
export const GIT_ERRORS = {
  UrlInvalid: { retryable: false },
  FileUrlNotAllowed: { retryable: false },
  BranchInvalid: { retryable: false },
  PathInvalid: { retryable: false },
  CredentialsMissing: { retryable: false },
  CredentialsIncomplete: { retryable: false },
  CredentialsInvalid: { retryable: false },
  KnownHostsMissing: { retryable: false },
  HostKeyUnknown: { retryable: false },
  HostKeyMismatch: { retryable: false },
  /** The host's name does not resolve: a typing mistake or a name server in trouble. */
  HostUnknown: { retryable: true },
  /** Refused, no route, connection cut. */
  HostUnreachable: { retryable: true },
  TlsUntrusted: { retryable: false },
  AuthenticationFailed: { retryable: false },
  PushNotPermitted: { retryable: false },
  RepositoryNotFound: { retryable: false },
  /** The remote has no such branch; a write creates it. */
  BranchNotFound: { retryable: false },
  /** The remote names branch protection as its reason. */
  BranchProtected: { retryable: false },
  /** A hook or a rule of the remote refuses the commits. */
  PushRefused: { retryable: false },
  /** The branch moved between plan and push. */
  LeaseStale: { retryable: true },
  RemoteTimeout: { retryable: true },
  RemoteFailed: { retryable: true },
  DataDirUnwritable: { retryable: false },
  DiskFull: { retryable: true },
  /** The clone in the data directory is damaged; it is made anew by itself. */
  CloneCorrupt: { retryable: true },
  /** A file stands where a folder is needed, or the other way round. */
  PathConflict: { retryable: false },
  /** The git command is not installed. */
  GitUnavailable: { retryable: false },
  /** The caller's signal ended the operation. */
  Aborted: { retryable: true },
} as const satisfies Record<string, { retryable: boolean }>;

export type GitErrorCode = keyof typeof GIT_ERRORS;

/** An error of this library; `message` holds no secret. */
export class GitError extends CodedError<GitErrorCode> {
  constructor(code: GitErrorCode, message: string, cause?: unknown) {
    super(code, message, { retryable: GIT_ERRORS[code].retryable, cause });
  }
}
