import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

export interface KubeAnswer {
  status: number;
  body: unknown;
}

export interface KubeRequest {
  method: string;
  path: string;
  query?: Record<string, string | undefined>;
  body?: unknown;
  contentType?: string;
  /** By which the API server names the request in its audit log. */
  auditId?: string;
}

/** A status other than 2xx. `body` is the API server's Status object. */
export class KubeError extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(call: KubeRequest, answer: KubeAnswer) {
    const message = (answer.body as { message?: string } | undefined)?.message ?? JSON.stringify(answer.body);
    super(`${call.method} ${call.path} answered ${answer.status}: ${message}`);
    this.status = answer.status;
    this.body = answer.body;
  }
}

/** One user's connection to an API server: requests as they are, with nothing between the caller and the wire. */
export class KubeClient {
  readonly url: string;
  private readonly token: string;
  private readonly agent: Agent;

  constructor(server: { url: string; caFile: string }, token: string) {
    this.url = server.url;
    this.token = token;
    this.agent = new Agent({ keepAlive: true, ca: readFileSync(server.caFile), maxSockets: 64 });
  }

  /** Answers whatever the status; rejects only when there is no answer. */
  async try(call: KubeRequest): Promise<KubeAnswer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.once(call);
      // A server that has just started is still loading its priority levels, and asks to come again.
      if (answer.status !== 429 || attempt === 5) return answer;
      await pause(200 * attempt);
    }
  }

  /** Returns the body, of the type that the caller expects; throws a {@link KubeError} unless the status is 2xx. */
  async call<T>(call: KubeRequest): Promise<T> {
    const answer = await this.try(call);
    if (answer.status < 200 || answer.status > 299) throw new KubeError(call, answer);
    return answer.body as T;
  }

  close(): void {
    this.agent.destroy();
  }

  private once(call: KubeRequest): Promise<KubeAnswer> {
    const url = new URL(call.path, this.url);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const body = call.body === undefined ? undefined : Buffer.from(textOf(call.body));
    return new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        {
          method: call.method,
          agent: this.agent,
          headers: {
            authorization: `Bearer ${this.token}`,
            accept: 'application/json',
            'user-agent': 'gitops-reverser-tools',
            ...(call.auditId !== undefined && { 'audit-id': call.auditId }),
            ...(body && { 'content-type': call.contentType ?? 'application/json', 'content-length': body.length }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () => {
            resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) });
          });
        },
      );
      outgoing.setTimeout(90_000, () => outgoing.destroy(new Error(`${call.method} ${call.path}: no answer in 90 s`)));
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
