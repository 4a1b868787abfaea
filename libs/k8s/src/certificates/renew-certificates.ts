import { certificateAction, isValid, servingIsGood } from './certificate-action.ts';
import { readCertificateState } from './certificate-state.ts';
import type { CertificateFiles, CertificateState } from './certificate-state.ts';
import { issueCa, issueServingCert } from './issue-certificates.ts';

/** CAs in a bundle, newest first. Two overlap in normal life; more only when somebody keeps breaking the Secret. */
const MAX_BUNDLE = 5;

/**
 * The files that are right at `now`: the same object where nothing must change.
 * Old CAs stay in the bundle while they are valid.
 */
export async function renewCertificates(
  files: CertificateFiles,
  options: { names: readonly string[]; commonName: string; now: number },
): Promise<CertificateFiles> {
  const { names, commonName, now } = options;
  const state = readCertificateState(files);
  const action = certificateAction(state, names, now);
  if (action === 'keep') return files;
  if (action === 'renew')
    return { ...files, caCert: bundleOf(state, now), ...(await serve(bundleHead(state), files.caKey, names, now)) };
  const ca = await issueCa({ now, commonName });
  const renewed = { ...files, caCert: ca.cert + bundleOf(state, now, MAX_BUNDLE - 1), caKey: ca.key };
  return servingIsGood(state, names, now) ? renewed : { ...renewed, ...(await serve(ca.cert, ca.key, names, now)) };
}

async function serve(
  caCert: string,
  caKey: string,
  names: readonly string[],
  now: number,
): Promise<Pick<CertificateFiles, 'cert' | 'key'>> {
  return issueServingCert({ ca: { cert: caCert, key: caKey }, names, now });
}

function bundleHead(state: CertificateState): string {
  return state.bundle[0]?.pem ?? '';
}

function bundleOf(state: CertificateState, now: number, limit = MAX_BUNDLE): string {
  const valid = state.bundle.filter((ca) => isValid(ca, now));
  const kept = valid.slice(0, limit);
  const issuer = state.serving === undefined ? undefined : state.bundle[state.serving.issuer];
  // the CA of the certificate in use is never the one that is cut off
  if (issuer !== undefined && valid.includes(issuer) && !kept.includes(issuer)) kept.splice(-1, 1, issuer);
  return kept.map((ca) => ca.pem).join('');
}
