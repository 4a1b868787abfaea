import { describe, expect, it } from '@jest/globals';
import { errorFromNetwork, errorFromResponse } from './classify-kube-error.ts';

const REQUEST = { method: 'GET', path: '/api/v1/namespaces?continue=token' };

describe('errorFromResponse', () => {
  it.each([
    [400, undefined, 'Invalid', false],
    [401, undefined, 'Unauthorized', true],
    [403, 'Forbidden', 'Forbidden', true],
    [404, 'NotFound', 'NotFound', false],
    [409, 'AlreadyExists', 'AlreadyExists', false],
    [409, 'Conflict', 'Conflict', true],
    [410, 'Expired', 'Gone', true],
    [413, undefined, 'TooLarge', false],
    [422, 'Invalid', 'Invalid', false],
    [429, undefined, 'TooManyRequests', true],
    [500, undefined, 'ServerError', true],
    [503, undefined, 'ServerError', true],
    [504, 'Timeout', 'Timeout', true],
  ])('calls HTTP %i with reason %j %s, retryable %j', (status, reason, code, retryable) => {
    const error = errorFromResponse(REQUEST, status, {}, JSON.stringify({ kind: 'Status', reason, message: 'why' }));

    expect(error).toMatchObject({ code, retryable, status, message: 'GET /api/v1/namespaces: why' });
  });

  it('takes an answer that is no Status', () => {
    expect(errorFromResponse(REQUEST, 502, {}, '<html>')).toMatchObject({
      code: 'ServerError',
      message: 'GET /api/v1/namespaces: HTTP 502',
    });
  });

  it('takes the wait from the header, or else from the Status', () => {
    const body = JSON.stringify({ details: { retryAfterSeconds: 3 } });

    expect(errorFromResponse(REQUEST, 429, { 'retry-after': '2' }, body).retryAfterMs).toBe(2000);
    expect(errorFromResponse(REQUEST, 429, {}, body).retryAfterMs).toBe(3000);
  });
});

describe('errorFromNetwork', () => {
  it.each([
    ['ECONNREFUSED', 'Unreachable'],
    ['ENOTFOUND', 'Unreachable'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'UntrustedCertificate'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'UntrustedCertificate'],
    ['CERT_HAS_EXPIRED', 'UntrustedCertificate'],
  ])('calls %s %s', (code, expected) => {
    const error = errorFromNetwork(REQUEST, Object.assign(new Error('secret detail'), { code }));

    expect(error.code).toBe(expected);
    expect(error.message).toContain(code);
  });
});
