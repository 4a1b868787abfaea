import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Server } from 'node:https';
import type { Readable } from 'node:stream';
import { ADMISSION_HANDLER, allow } from './admission-review.ts';
import type { AdmissionHandler } from './admission-review.ts';
import { parseAdmissionReview, parseTruncatedReview } from './parse-admission-review.ts';
import { BodyBudget, readBody } from './read-body.ts';
import type { ReadBody } from './read-body.ts';
import { WEBHOOK_OPTIONS } from './webhook-options.ts';
import type { WebhookOptions } from './webhook-options.ts';

/** Half of what the API server waits for: a call that is recorded late is recorded all the same. */
const DEADLINE_MS = 500;
/** An UPDATE of a 1 MB ConfigMap can be 11.4 MiB: old and new object, escaped. */
const BODIES_IN_FLIGHT_BYTES = 24 * 1024 * 1024;
/** The API server keeps idle webhook connections for 90 s: a server that closes sooner makes calls fail open. */
const KEEP_ALIVE_MS = 120_000;

/** The TLS server that the API server calls. Every call is allowed, at the deadline at the latest. */
@Injectable()
export class AdmissionServer implements BeforeApplicationShutdown {
  private readonly logger = new Logger(AdmissionServer.name);
  private readonly budget = new BodyBudget(BODIES_IN_FLIGHT_BYTES);
  private server: FastifyInstance<Server> | undefined;
  private ending = false;

  constructor(
    @Inject(WEBHOOK_OPTIONS) private readonly options: WebhookOptions,
    @Inject(ADMISSION_HANDLER) private readonly handler: AdmissionHandler,
  ) {}

  /** Serves with this certificate from now on; the first call starts to listen. */
  async useCertificate(certificate: { cert: string; key: string }): Promise<void> {
    if (this.server !== undefined) {
      this.server.server.setSecureContext(certificate);
      return;
    }
    const server = this.build(certificate);
    await server.listen({ port: this.options.port, host: this.options.host });
    this.server = server;
    this.logger.log({ msg: 'admission server listens', host: this.options.host, port: this.options.port });
  }

  /** Goes on answering while Endpoints still lead here, and tells callers to connect anew. */
  async beforeApplicationShutdown(): Promise<void> {
    this.ending = true;
    if (this.server === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, this.options.shutdownGraceMs));
    await this.server.close();
  }

  private build(certificate: { cert: string; key: string }): FastifyInstance<Server> {
    const server = fastify({
      https: { ...certificate, minVersion: 'TLSv1.2', headersTimeout: KEEP_ALIVE_MS + 5_000 },
      keepAliveTimeout: KEEP_ALIVE_MS,
      bodyLimit: Number.MAX_SAFE_INTEGER, // the budget limits, and reads the beginning of what is too large
      forceCloseConnections: true,
      return503OnClosing: false,
      logger: false,
    } as Parameters<typeof fastify>[0]) as unknown as FastifyInstance<Server>;
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    server.post('/v1/admission/:digest', (request, reply) => this.admit(request, reply));
    server.post('/v1/probe/:digest', (request, reply) => this.probe(request, reply));
    return server;
  }

  private async admit(request: FastifyRequest, reply: FastifyReply): Promise<object> {
    const started = performance.now();
    if (this.ending) void reply.header('connection', 'close');
    const body = await this.read(request.body as Readable);
    const review = body.truncated ? undefined : parseAdmissionReview(body.text);
    const identity = body.truncated ? parseTruncatedReview(body.text) : review;
    if (identity === undefined) {
      body.release();
      this.options.onDropped?.({ operation: 'UNKNOWN', reason: 'not-a-review' });
      this.logger.warn({
        msg: 'admission call is not an AdmissionReview',
        bytes: body.text.length,
        truncated: body.truncated,
      });
      return reply.code(400).send({ error: 'The body is not an AdmissionReview of admission.k8s.io/v1.' });
    }
    const { digest } = request.params as { digest: string };
    const work =
      review === undefined ? this.handler.handleTruncated(identity, digest) : this.handler.handle(review, digest);
    const recorded = work
      .catch((error: Error) => {
        this.options.onDropped?.({ operation: identity.operation, reason: 'not-recorded' });
        this.logger.error({ msg: 'admission call was not recorded', uid: identity.uid, error: error.message });
      })
      .finally(body.release);
    await withinDeadline(recorded);
    this.options.onAnswered?.((performance.now() - started) / 1000);
    return allow(identity.uid);
  }

  private async read(stream: Readable): Promise<ReadBody> {
    try {
      return await readBody(stream, this.budget);
    } catch (error) {
      this.options.onDropped?.({ operation: 'UNKNOWN', reason: 'incomplete' });
      this.logger.warn({ msg: 'admission call broke off', error: (error as Error).message });
      throw error;
    }
  }

  /** Proves to the operator that the API server uses the registration with this digest: see the registrar's `confirm`. */
  private async probe(request: FastifyRequest, reply: FastifyReply): Promise<object> {
    const body = await readBody(request.body as Readable, this.budget);
    body.release();
    const review = parseAdmissionReview(body.text);
    if (review === undefined) return reply.code(400).send({ error: 'The body is not an AdmissionReview.' });
    const digest = (request.params as { digest: string }).digest;
    const ours = review.dryRun && review.fieldManager === this.options.probe.fieldManager;
    return allow(review.uid, ours ? [this.options.probe.warning(digest)] : []);
  }
}

async function withinDeadline(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise((resolve) => {
    timer = setTimeout(resolve, DEADLINE_MS);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
