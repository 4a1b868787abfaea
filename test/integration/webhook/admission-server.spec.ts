import { Agent, request } from 'node:https';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { issueCa, issueServingCert, type CertificatePair } from '#k8s';
import { ADMISSION_HANDLER } from '../../../apps/reverser/src/webhook/admission-review.ts';
import type {
  AdmissionHandler,
  AdmissionIdentity,
  AdmissionRequest,
} from '../../../apps/reverser/src/webhook/admission-review.ts';
import { AdmissionServer } from '../../../apps/reverser/src/webhook/admission-server.service.ts';
import { WEBHOOK_OPTIONS } from '../../../apps/reverser/src/webhook/webhook-options.ts';
import type { DropReason } from '../../../apps/reverser/src/webhook/webhook-options.ts';
import { WebhookModule } from '../../../apps/reverser/src/webhook/webhook.module.ts';
import { freePort } from '../../support/ssh-server.ts';
import { waitFor } from '../../support/wait-for.ts';

interface Answer {
  status: number;
  connection: string | undefined;
  body: { response?: { uid: string; allowed: boolean; warnings?: string[] }; error?: string };
}

/** Takes note of what it is handed; `work` is what it does meanwhile. */
class RecordingHandler implements AdmissionHandler {
  readonly handled: AdmissionRequest[] = [];
  readonly truncated: AdmissionIdentity[] = [];
  work: () => Promise<void> = () => Promise.resolve();

  async handle(call: AdmissionRequest): Promise<void> {
    this.handled.push(call);
    await this.work();
  }

  async handleTruncated(identity: AdmissionIdentity): Promise<void> {
    this.truncated.push(identity);
    await this.work();
  }
}

describe('the admission server, alone', () => {
  let ca: CertificatePair;
  let port: number;
  let module: TestingModule;
  let server: AdmissionServer;
  let handler: RecordingHandler;
  let agent: Agent;
  let drops: { operation: string; reason: DropReason }[];

  beforeAll(async () => {
    ca = await issueCa({ now: Date.now(), commonName: 'test' });
  });
  beforeEach(async () => {
    port = await freePort();
    handler = new RecordingHandler();
    drops = [];
    const onDropped = (drop: (typeof drops)[number]): void => void drops.push(drop);
    const probe = { fieldManager: 'prober', warning: (digest: string) => `seen:${digest}` };
    module = await Test.createTestingModule({
      imports: [
        WebhookModule.register({
          providers: [
            { provide: ADMISSION_HANDLER, useValue: handler },
            { provide: WEBHOOK_OPTIONS, useValue: { port, host: '127.0.0.1', shutdownGraceMs: 0, probe, onDropped } },
          ],
        }),
      ],
    }).compile();
    module.useLogger(false);
    server = module.get(AdmissionServer);
    await server.useCertificate(await newCertificate());
    agent = new Agent({ ca: ca.cert, keepAlive: true, maxSockets: 10 });
  });
  afterEach(async () => {
    agent.destroy();
    await module.close();
  });

  const newCertificate = (): Promise<CertificatePair> =>
    issueServingCert({ ca, names: ['127.0.0.1'], now: Date.now() });

  function review(fields: Record<string, unknown> = {}): string {
    const resource = { group: '', version: 'v1', resource: 'configmaps' };
    const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
    const call = {
      uid: 'call-1',
      kind,
      resource,
      name: 'one',
      namespace: 'ns',
      operation: 'UPDATE',
      userInfo: { username: 'alice' },
    };
    return JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: { ...call, ...fields },
    });
  }

  const large = (mebibytes: number): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'one' },
    data: { a: '<'.repeat(mebibytes * 1024 * 1024) },
  });

  function post(path: string, body: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request({
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json' },
      });
      call.on('error', reject);
      call.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const parsed = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Answer['body'];
          resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, body: parsed });
        });
      });
      call.end(body);
    });
  }

  const allowed = { status: 200, body: { response: { uid: 'call-1', allowed: true } } };

  it('hands a call over and allows it', async () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } };
    expect(await post('/v1/admission/any', review({ object, dryRun: false }))).toMatchObject(allowed);
    expect(handler.handled).toMatchObject([{ uid: 'call-1', user: 'alice', object, dryRun: false }]);
    expect(drops).toEqual([]);
  });

  it('allows a call whose handling fails, and tells that it was dropped', async () => {
    handler.work = () => Promise.reject(new Error('out of order'));
    expect(await post('/v1/admission/any', review())).toMatchObject(allowed);
    expect(drops).toEqual([{ operation: 'UPDATE', reason: 'not-recorded' }]);
  });

  it('allows a call at its deadline when the handling does not end', async () => {
    let finish: () => void = () => undefined;
    handler.work = () => new Promise((resolve) => (finish = resolve));
    expect(await post('/v1/admission/any', review())).toMatchObject(allowed);
    finish();
  });

  it('reads who did what from a body that is too large to hold, and goes on with the connection', async () => {
    expect(await post('/v1/admission/any', review({ object: large(25) }))).toMatchObject(allowed);
    expect(handler.truncated).toMatchObject([
      { uid: 'call-1', user: 'alice', name: 'one', namespace: 'ns', operation: 'UPDATE' },
    ]);
    expect(await post('/v1/admission/any', review())).toMatchObject(allowed);
    expect(handler.handled).toHaveLength(1);
  });

  it.each([
    { title: 'no JSON', body: 'hello' },
    { title: 'no AdmissionReview', body: '{"kind":"Pod"}' },
    { title: 'nothing', body: '' },
  ])('refuses $title as a bad request, hands nothing over and tells it', async ({ body }) => {
    expect(await post('/v1/admission/any', body)).toMatchObject({ status: 400 });
    expect(handler.handled).toHaveLength(0);
    expect(drops).toEqual([{ operation: 'UNKNOWN', reason: 'not-a-review' }]);
  });

  it('tells of a call that breaks off, and gives back what its body took', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const call = request({ host: '127.0.0.1', port, path: '/v1/admission/any', method: 'POST', agent });
      call.on('error', () => undefined);
      call.setHeader('content-length', 40 * 1024 * 1024);
      call.setHeader('content-type', 'application/json');
      call.write('<'.repeat(20 * 1024 * 1024), () => call.destroy());
      await waitFor('it to be told', () => Promise.resolve(drops.length === round));
    }
    expect(drops[0]).toEqual({ operation: 'UNKNOWN', reason: 'incomplete' });
    expect(await post('/v1/admission/any', review({ object: large(20) }))).toMatchObject(allowed);
    expect(handler.handled).toHaveLength(1);
  });

  it('answers the operator’s own dry runs with the registration that they came through, and nobody else', async () => {
    const own = await post('/v1/probe/abc', review({ dryRun: true, options: { fieldManager: 'prober' } }));
    expect(own.body.response?.warnings).toEqual(['seen:abc']);
    const other = await post('/v1/probe/abc', review({ dryRun: true, options: { fieldManager: 'kubectl' } }));
    expect(other.body.response).toEqual({ uid: 'call-1', allowed: true });
    const real = await post('/v1/probe/abc', review({ options: { fieldManager: 'prober' } }));
    expect(real.body.response).toEqual({ uid: 'call-1', allowed: true });
    expect(handler.handled).toHaveLength(0);
  });

  it('serves another certificate without an interruption', async () => {
    expect(await post('/v1/admission/any', review())).toMatchObject(allowed);
    await server.useCertificate(await newCertificate());
    agent.destroy();
    agent = new Agent({ ca: ca.cert });
    expect(await post('/v1/admission/any', review())).toMatchObject(allowed);
  });
});
