import { KubeError } from './kube-error.ts';
import type { KubeErrorCode } from './kube-error.ts';

const RETRYABLE: ReadonlySet<KubeErrorCode> = new Set<KubeErrorCode>([
  'Unreachable',
  'Timeout',
  'Conflict',
  'Gone',
  'TooManyRequests',
  'ServerError',
  'Unauthorized', // a rotated token is read again within a minute
  'Forbidden', // RBAC is often applied after the Deployment
  'NamespaceNotFound',
]);

/** Error codes of Node's TLS that mean: there was a server, but not one that we trust. */
const TRUST_CODES =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY|DECRYPT)_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/;

/** Longest part of a server's message that we repeat; validation messages quote whole objects. */
const MAX_MESSAGE = 1024;

/** What was asked, for messages: never holds a body or a header. */
export interface RequestLabel {
  method: string;
  path: string;
}

/** The error for an answer outside 2xx. `body` is its text: a `Status` object, or whatever a proxy said. */
export function errorFromResponse(
  request: RequestLabel,
  status: number,
  headers: Record<string, string | string[] | undefined>,
  body: string,
): KubeError {
  const parsed = parseStatus(body);
  const code = codeOf(status, parsed.reason);
  const text = (parsed.message ?? `HTTP ${status}`).slice(0, MAX_MESSAGE);
  const retryAfterMs = retryAfter(headers['retry-after']) ?? parsed.retryAfterMs;
  return new KubeError(code, `${label(request)}: ${text}`, {
    retryable: RETRYABLE.has(code),
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The error for a `Status` object inside a watch stream. */
export function errorFromWatchStatus(request: RequestLabel, status: unknown): KubeError {
  const code = isRecord(status) && typeof status['code'] === 'number' ? status['code'] : 500;
  return errorFromResponse(request, code, {}, JSON.stringify(status));
}

/** The error for a call that got no answer. */
export function errorFromNetwork(request: RequestLabel, cause: unknown): KubeError {
  if (cause instanceof KubeError) return cause;
  const code = isRecord(cause) && typeof cause['code'] === 'string' ? cause['code'] : '';
  const detail = code === '' ? (cause instanceof Error ? cause.message : 'unknown error') : code;
  if (TRUST_CODES.test(code)) {
    return new KubeError(
      'UntrustedCertificate',
      `${label(request)}: the API server's certificate is not trusted (${detail}); check certificate-authority in the kubeconfig`,
      { retryable: true, cause },
    );
  }
  return new KubeError('Unreachable', `${label(request)}: the API server can't be reached (${detail})`, {
    retryable: true,
    cause,
  });
}

function codeOf(status: number, reason: string | undefined): KubeErrorCode {
  switch (status) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict';
    case 410:
      return 'Gone';
    case 413:
      return 'TooLarge';
    case 429:
      return 'TooManyRequests';
    case 504:
      return 'Timeout';
    default:
      // 400, 405, 406, 415, 422: the same request would fail again
      return status >= 500 || status < 400 ? 'ServerError' : 'Invalid';
  }
}

function parseStatus(body: string): { reason?: string; message?: string; retryAfterMs?: number } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return {};
  }
  if (!isRecord(value)) return {};
  const details = value['details'];
  const seconds = isRecord(details) ? details['retryAfterSeconds'] : undefined;
  return {
    ...(typeof value['reason'] === 'string' ? { reason: value['reason'] } : {}),
    ...(typeof value['message'] === 'string' ? { message: value['message'] } : {}),
    ...(typeof seconds === 'number' && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
  };
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** The query is left out: a continue token is long and says nothing. */
function label(request: RequestLabel): string {
  return `${request.method} ${request.path.split('?', 1)[0] ?? ''}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
