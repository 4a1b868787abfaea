import { beforeAll, describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { certificateAction } from './certificate-action.ts';
import { readCertificateState } from './certificate-state.ts';
import type { CertificateFiles } from './certificate-state.ts';
import { CA_LIFETIME_MS, SERVING_LIFETIME_MS, issueCa, issueServingCert } from './issue-certificates.ts';
import { renewCertificates } from './renew-certificates.ts';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const NAMES = ['webhook.own.svc', '127.0.0.1', '::1'];
const NOTHING: CertificateFiles = { caCert: '', caKey: '', cert: '', key: '' };
const at = (now: number) => ({ names: NAMES, commonName: 'test CA', now });
const action = (files: CertificateFiles, now: number, names = NAMES): string =>
  certificateAction(readCertificateState(files), names, now);
const certificatesIn = (bundle: string): number => bundle.match(/BEGIN CERTIFICATE/g)?.length ?? 0;

let fresh: CertificateFiles;

beforeAll(async () => {
  fresh = await renewCertificates(NOTHING, at(NOW));
});

describe('issueServingCert', () => {
  it('serves all names, for ninety days, trusted by its CA', () => {
    const cert = new X509Certificate(fresh.cert);
    const ca = new X509Certificate(fresh.caCert);

    expect(cert.subjectAltName).toBe('DNS:webhook.own.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    expect(Date.parse(cert.validTo)).toBe(NOW + SERVING_LIFETIME_MS);
    expect(cert.checkIssued(ca) && cert.verify(ca.publicKey)).toBe(true);
    expect([ca.ca, cert.ca]).toEqual([true, false]);
  });

  it('never outlives its CA', async () => {
    const ca = await issueCa({ now: NOW, commonName: 'short', lifetimeMs: DAY });
    const { cert } = await issueServingCert({ ca, names: NAMES, now: NOW });

    expect(Date.parse(new X509Certificate(cert).validTo)).toBe(NOW + DAY);
  });
});

describe('certificateAction', () => {
  it.each([
    ['keep', 'at once', 0],
    ['keep', 'after 59 days', 59 * DAY],
    ['renew', 'after 60 days', 60 * DAY],
    ['renew', 'after it expired', 91 * DAY],
    ['renew', 'shortly before two thirds of the CA', CA_LIFETIME_MS * 0.66],
    ['reissue-ca', 'after two thirds of the CA', CA_LIFETIME_MS * 0.67],
    ['reissue-ca', 'before the CA is valid', -DAY],
  ])('is %s %s', (expected, _when, age) => {
    expect(action(fresh, NOW + age)).toBe(expected);
  });

  it('renews for a name that is not served yet', () => {
    expect(action(fresh, NOW, [...NAMES, 'other.svc'])).toBe('renew');
  });

  it.each([
    ['renew', 'tls.crt', { cert: 'rubbish' }],
    ['renew', 'tls.key', { key: '' }],
    ['reissue-ca', 'ca.crt', { caCert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }],
    ['reissue-ca', 'ca.key', { caKey: 'rubbish' }],
  ])('is %s when %s is rubbish', (expected, _key, broken) => {
    expect(action({ ...fresh, ...broken }, NOW)).toBe(expected);
  });

  it('does not trust a certificate that another CA issued', async () => {
    const other = await renewCertificates(NOTHING, at(NOW));

    expect(action({ ...fresh, cert: other.cert, key: other.key }, NOW)).toBe('renew');
  });
});

describe('renewCertificates', () => {
  it('leaves alone what is right', async () => {
    expect(await renewCertificates(fresh, at(NOW + DAY))).toBe(fresh);
  });

  it('renews the serving certificate under the same CA', async () => {
    const renewed = await renewCertificates(fresh, at(NOW + 60 * DAY));

    expect([renewed.caCert, renewed.caKey]).toEqual([fresh.caCert, fresh.caKey]);
    expect(renewed.cert).not.toBe(fresh.cert);
    expect(action(renewed, NOW + 60 * DAY)).toBe('keep');
  });

  it('announces a new CA first, and serves by it only at the next renewal', async () => {
    const rotation = NOW + CA_LIFETIME_MS * 0.67;
    const before = {
      ...fresh,
      ...(await issueServingCert({ ca: { cert: fresh.caCert, key: fresh.caKey }, names: NAMES, now: rotation - DAY })),
    };

    const announced = await renewCertificates(before, at(rotation));
    const used = await renewCertificates(announced, at(rotation + 70 * DAY));

    expect([announced.cert, certificatesIn(announced.caCert)]).toEqual([before.cert, 2]);
    expect(action(announced, rotation)).toBe('keep');
    expect(readCertificateState(used).serving?.issuer).toBe(0);
    expect(certificatesIn(used.caCert)).toBe(2);
  });

  it('drops a CA that has expired', async () => {
    const renewed = await renewCertificates(fresh, at(NOW + CA_LIFETIME_MS + DAY));

    expect(certificatesIn(renewed.caCert)).toBe(1);
    expect(action(renewed, NOW + CA_LIFETIME_MS + DAY)).toBe('keep');
  });

  it('repairs any rubbish', async () => {
    for (const key of ['caCert', 'caKey', 'cert', 'key'] as const) {
      const repaired = await renewCertificates({ ...fresh, [key]: 'rubbish' }, at(NOW));
      expect(action(repaired, NOW)).toBe('keep');
    }
  });
});
