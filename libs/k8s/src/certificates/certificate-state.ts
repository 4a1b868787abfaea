import { X509Certificate, createPrivateKey } from 'node:crypto';
import { isIP } from 'node:net';

/** What the Secret holds, as text: `ca.crt` is a bundle, the CA of `ca.key` first. */
export interface CertificateFiles {
  caCert: string;
  caKey: string;
  cert: string;
  key: string;
}

/** What of it can be used at all, whatever the time is. */
export interface CertificateState {
  /** The CA that we can sign with. */
  ca: ValidityPeriod | undefined;
  /** All CAs of the bundle that can be parsed, in its order. */
  bundle: BundledCa[];
  serving: ServingState | undefined;
}

export interface ValidityPeriod {
  notBefore: number;
  notAfter: number;
}

interface BundledCa extends ValidityPeriod {
  pem: string;
}

interface ServingState extends ValidityPeriod {
  /** Index into the bundle of the CA that signed it. */
  issuer: number;
  covers: (name: string) => boolean;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reads files that may be anything: what is broken is left out. */
export function readCertificateState(files: CertificateFiles): CertificateState {
  const certs = (files.caCert.match(CERTIFICATE) ?? []).flatMap((pem) => {
    const cert = parse(pem);
    return cert?.ca === true ? [{ pem: `${pem}\n`, cert }] : [];
  });
  const signer = certs[0]?.cert;
  return {
    ca: signer !== undefined && ownsKey(signer, files.caKey) ? period(signer) : undefined,
    bundle: certs.map(({ pem, cert }) => ({ pem, ...period(cert) })),
    serving: readServing(
      files,
      certs.map(({ cert }) => cert),
    ),
  };
}

function readServing(files: CertificateFiles, cas: X509Certificate[]): ServingState | undefined {
  const cert = parse(files.cert);
  if (cert === undefined || !ownsKey(cert, files.key)) return undefined;
  const issuer = cas.findIndex((ca) => cert.checkIssued(ca) && cert.verify(ca.publicKey));
  if (issuer < 0) return undefined;
  return {
    ...period(cert),
    issuer,
    covers: (name) =>
      (isIP(name) === 0 ? cert.checkHost(name, { subject: 'never' }) : cert.checkIP(name)) !== undefined,
  };
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function ownsKey(cert: X509Certificate, key: string): boolean {
  try {
    return cert.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function period(cert: X509Certificate): ValidityPeriod {
  return { notBefore: Date.parse(cert.validFrom), notAfter: Date.parse(cert.validTo) };
}
