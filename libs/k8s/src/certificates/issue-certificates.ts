import 'reflect-metadata';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const DAY = 86_400_000;
/** Ten years: a CA is replaced with overlap at two thirds of it, so trust never ends by surprise. */
export const CA_LIFETIME_MS = 3650 * DAY;
/** Ninety days, renewed after sixty: a month of trouble with renewal harms nobody. */
export const SERVING_LIFETIME_MS = 90 * DAY;
/** Certificates start in the past, for API servers whose clock is behind ours. */
const CLOCK_SKEW_MS = 3_600_000;

const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A certificate and its private key (PKCS #8), PEM. */
export interface CertificatePair {
  cert: string;
  key: string;
}

/** A new self-signed CA (ECDSA P-256). Its name holds a random part, so that two CAs of one instance can be told apart. */
export async function issueCa(options: {
  now: number;
  commonName: string;
  lifetimeMs?: number;
}): Promise<CertificatePair> {
  const keys = await newKeys();
  const serialNumber = serial();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: name(`${options.commonName} ${serialNumber.slice(0, 8)}`),
    notBefore: new Date(options.now - CLOCK_SKEW_MS),
    notAfter: new Date(options.now + (options.lifetimeMs ?? CA_LIFETIME_MS)),
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pem(cert), key: await exportKey(keys.privateKey) };
}

/**
 * A new serving certificate for DNS names and IP addresses, signed by the CA.
 * It never outlives the CA. `names` must not be empty.
 */
export async function issueServingCert(options: {
  ca: CertificatePair;
  names: readonly string[];
  now: number;
  lifetimeMs?: number;
}): Promise<CertificatePair> {
  const [first] = options.names;
  if (first === undefined) throw new TypeError('a serving certificate needs a name');
  const issuer = new x509.X509Certificate(options.ca.cert);
  const keys = await newKeys();
  const notAfter = Math.min(options.now + (options.lifetimeMs ?? SERVING_LIFETIME_MS), issuer.notAfter.getTime());
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: name(first.slice(0, 64)), // the longest common name; clients read the alternative names only
    issuer: issuer.subjectName,
    notBefore: new Date(options.now - CLOCK_SKEW_MS),
    notAfter: new Date(notAfter),
    publicKey: keys.publicKey,
    signingKey: await importKey(options.ca.key),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        options.names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pem(cert), key: await exportKey(keys.privateKey) };
}

function newKeys(): Promise<{ publicKey: CryptoKey; privateKey: CryptoKey }> {
  return crypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
}

/** 16 random bytes whose first bit is 0: a positive number. */
function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

function name(commonName: string): x509.JsonName {
  return [{ CN: [commonName] }];
}

function pem(cert: x509.X509Certificate): string {
  return `${cert.toString('pem').trim()}\n`;
}

async function exportKey(key: CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY').trim()}\n`;
}

function importKey(text: string): Promise<CryptoKey> {
  const [bytes] = x509.PemConverter.decode(text);
  if (bytes === undefined) throw new TypeError("the CA's key is no PEM");
  return crypto.subtle.importKey('pkcs8', bytes, KEY, false, ['sign']);
}
