import http from 'node:http';
import https from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { errorFromNetwork } from './classify-kube-error.ts';
import { KubeError } from './kube-error.ts';

/** Sockets that calls share; watches have their own, so that they never wait for each other. */
const MAX_CALL_SOCKETS = 64;
/** Idle sockets are closed before the API server (90 s) or a load balancer (often 60 s) does it under a new call. */
const IDLE_SOCKET_MS = 30_000;
const TCP_KEEPALIVE_MS = 15_000;

/** One HTTP exchange with the API server. `path` includes the query. */
export interface RawRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
  signal: AbortSignal;
  /** A watch: its socket is not pooled. */
  stream?: boolean;
}

/**
 * HTTPS to the current cluster of a KubeConfig, with its credentials.
 * node:https and not client-node's own requests: those make a new connection pool for each call.
 */
export class KubeTransport {
  private agent: http.Agent | undefined;
  private agentServer = '';
  private agentTls: TlsIdentity = {};
  private readonly config: KubeConfig;

  constructor(config: KubeConfig) {
    this.config = config;
  }

  /**
   * Resolves with the response once its headers are here; the caller reads or destroys its body.
   * A request on a pooled socket that the server had closed is sent once more on a fresh one, as that never reached it.
   * @throws KubeError `Unreachable`, `UntrustedCertificate`, `BadConfig`
   */
  async send(request: RawRequest): Promise<IncomingMessage> {
    const options = await this.options();
    try {
      return await this.exchange(request, options);
    } catch (error) {
      if (error instanceof StaleSocketError) {
        try {
          return await this.exchange(request, { ...options, agent: options.proxied ? options.agent : false });
        } catch (second) {
          throw errorFromNetwork(request, second instanceof StaleSocketError ? second.cause : second);
        }
      }
      throw errorFromNetwork(request, error);
    }
  }

  /** Closes idle and busy pooled sockets. */
  close(): void {
    this.agent?.destroy();
    this.agent = undefined;
  }

  private exchange(request: RawRequest, options: ConnectionOptions): Promise<IncomingMessage> {
    const url = new URL(options.server + request.path);
    const tls = url.protocol === 'https:' ? https : http;
    const agent = request.stream === true && !options.proxied ? false : options.agent;
    return new Promise((resolve, reject) => {
      const outgoing = tls.request(url, {
        ...options.tls,
        agent,
        method: request.method,
        headers: {
          ...request.headers,
          ...options.headers,
          // without it Node sends a DELETE's body unannounced, and the server takes it for the next request
          ...(request.body === undefined ? {} : { 'Content-Length': Buffer.byteLength(request.body) }),
        },
        signal: request.signal,
      });
      outgoing.once('socket', (socket) => socket.setKeepAlive(true, TCP_KEEPALIVE_MS));
      outgoing.once('response', resolve);
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        const stale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(stale && !request.signal.aborted ? new StaleSocketError(error) : error);
      });
      outgoing.end(request.body);
    });
  }

  /** Credentials are asked for at each call: client-node caches what is expensive and reads rotated tokens again each minute. */
  private async options(): Promise<ConnectionOptions> {
    const cluster = this.config.getCurrentCluster();
    if (cluster === null)
      throw new KubeError('BadConfig', 'the kubeconfig has no current cluster', { retryable: false });
    const applied: RequestOptions = {};
    try {
      await this.config.applyToHTTPSOptions(applied);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : 'unknown error';
      throw new KubeError('BadConfig', `the kubeconfig's credentials can't be used: ${detail}`, {
        retryable: true,
        cause,
      });
    }
    const { ca, cert, key, passphrase, rejectUnauthorized, servername } = applied;
    const tls = dropUndefined({ ca, cert, key, passphrase, rejectUnauthorized, servername });
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries((applied.headers ?? {}) as IncomingHttpHeaders)) {
      headers[name] = String(value).trim(); // token files often end in a newline, which no header may hold
    }
    if (typeof applied.auth === 'string')
      headers['Authorization'] = `Basic ${Buffer.from(applied.auth).toString('base64')}`;
    const proxied = cluster.proxyUrl !== undefined && cluster.proxyUrl !== '';
    const agent = proxied && applied.agent instanceof http.Agent ? applied.agent : this.pool(cluster.server, tls);
    return { server: cluster.server.replace(/\/+$/, ''), tls, headers, agent, proxied };
  }

  /** One pool as long as the TLS identity stays the same; a rotated client certificate or CA starts a new one. */
  private pool(server: string, tls: TlsIdentity): http.Agent {
    if (this.agent === undefined || server !== this.agentServer || !isDeepStrictEqual(tls, this.agentTls)) {
      const settings = {
        keepAlive: true,
        maxSockets: MAX_CALL_SOCKETS,
        timeout: IDLE_SOCKET_MS,
        scheduling: 'lifo',
      } as const;
      this.agent = server.startsWith('http:') ? new http.Agent(settings) : new https.Agent({ ...settings, ...tls });
      this.agentServer = server;
      this.agentTls = tls;
    }
    return this.agent;
  }
}

type TlsIdentity = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername'>;

interface ConnectionOptions {
  server: string;
  tls: TlsIdentity;
  headers: Record<string, string>;
  agent: http.Agent | false;
  proxied: boolean;
}

/** The server closed a pooled socket before it read the request. */
class StaleSocketError extends Error {
  constructor(cause: Error) {
    super('a pooled connection was closed', { cause });
  }
}

function dropUndefined(tls: TlsIdentity): TlsIdentity {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
