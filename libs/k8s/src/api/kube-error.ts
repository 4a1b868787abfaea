import { CodedError } from '#domain';

/**
 * What went wrong between us and the API server.
 * `BadConfig`: the kubeconfig can't be used. `Unreachable`, `Timeout`, `UntrustedCertificate`: no answer. `Aborted`: the caller's signal.
 * `BadResponse`: an answer that is no JSON of the expected shape. `NamespaceNotFound`: an object can't be created where it belongs.
 * The others are the API server's own answers by HTTP status and `Status.reason`.
 */
export type KubeErrorCode =
  | 'BadConfig'
  | 'Unreachable'
  | 'Timeout'
  | 'UntrustedCertificate'
  | 'Aborted'
  | 'BadResponse'
  | 'NamespaceNotFound'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Forbidden'
  | 'Unauthorized'
  | 'Invalid'
  | 'Gone'
  | 'TooLarge'
  | 'TooManyRequests'
  | 'ServerError';

/** An error of the Kubernetes API. `status` is the HTTP status where there was an answer. */
export class KubeError extends CodedError<KubeErrorCode> {
  readonly status: number | undefined;
  /** What the server asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: KubeErrorCode,
    message: string,
    options: { retryable: boolean; cause?: unknown; status?: number; retryAfterMs?: number },
  ) {
    super(code, message, options);
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether the error is a KubeError with one of the codes. */
export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}
