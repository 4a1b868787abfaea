import type { CertificateState, ValidityPeriod } from './certificate-state.ts';

/** `keep` everything, `renew` the serving certificate, or `reissue-ca` (and the serving certificate too, where it is needed). */
export type CertificateAction = 'keep' | 'renew' | 'reissue-ca';

/** The part of its life after which a certificate is replaced: leaves a third for everything that can go wrong. */
const RENEW_AFTER = 2 / 3;

/** What must be done at a time (milliseconds since the epoch) so that `names` are served with a certificate that callers trust. */
export function certificateAction(state: CertificateState, names: readonly string[], at: number): CertificateAction {
  if (state.ca === undefined || isDue(state.ca, at)) return 'reissue-ca';
  return servingIsGood(state, names, at) && !isDue(state.serving, at) ? 'keep' : 'renew';
}

/**
 * Whether the serving certificate can stay in use, due for renewal or not: a new CA is announced in the bundle first, and signs only at the
 * next renewal. By then every API server has seen it, so no call meets a certificate that it does not trust yet.
 */
export function servingIsGood(
  state: CertificateState,
  names: readonly string[],
  at: number,
): state is CertificateState & { serving: NonNullable<CertificateState['serving']> } {
  const { serving } = state;
  if (serving === undefined || !isValid(serving, at)) return false;
  const issuer = state.bundle[serving.issuer];
  return issuer !== undefined && isValid(issuer, at) && names.every((name) => serving.covers(name));
}

/** Whether a certificate is valid at a time. */
export function isValid(period: ValidityPeriod, at: number): boolean {
  return period.notBefore <= at && at < period.notAfter;
}

function isDue(period: ValidityPeriod, at: number): boolean {
  return !isValid(period, at) || at >= period.notBefore + (period.notAfter - period.notBefore) * RENEW_AFTER;
}
