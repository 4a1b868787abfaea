import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What the server does instead of serving. `read-only` refuses pushes with 403 as hosts do; `cut-push` cuts the connection
 * while commits come in, `lose-answer` after they were taken.
 */
export type GitHttpFault =
  'none' | 'error-500' | 'hang' | 'unauthorized' | 'cut' | 'read-only' | 'cut-push' | 'lose-answer';

/** A Git host over http(s) with basic authentication, or with a token. */
export interface GitHttpServer {
  port: number;
  /** `http(s)://127.0.0.1:port/<path below root>`. */
  url(path: string): string;
  /** The certificate that clients must trust; only with tls. */
  ca?: string;
  setFault(fault: GitHttpFault): void;
  /** How many requests came. */
  requests(): number;
  stop(): Promise<void>;
}

export interface GitHttpServerOptions {
  /** The folder that holds the bare repositories. */
  root: string;
  /** A free one by default. */
  port?: number;
  username: string;
  password: string;
  /** Asked for instead of user and password, as a bearer token. */
  bearerToken?: string;
  tls?: boolean;
}

export async function startGitHttpServer(options: GitHttpServerOptions): Promise<GitHttpServer> {
  let fault: GitHttpFault = 'none';
  let requests = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    requests += 1;
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    void serve(request, response, options, fault).catch(() => response.destroy());
  };
  const identity = options.tls === true ? await makeCertificate() : undefined;
  const server: Server = identity === undefined ? createServer(answer) : createTlsServer(identity, answer);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const scheme = identity === undefined ? 'http' : 'https';
  return {
    port: address.port,
    url: (path) => `${scheme}://127.0.0.1:${address.port}/${path}`,
    ...(identity === undefined ? {} : { ca: identity.cert }),
    setFault: (next) => {
      fault = next;
    },
    requests: () => requests,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: GitHttpServerOptions,
  fault: GitHttpFault,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const scheme = options.bearerToken === undefined ? 'Basic' : 'Bearer';
  const expected = `${scheme} ${options.bearerToken ?? base64(`${options.username}:${options.password}`)}`;
  if (fault === 'hang') return;
  if (fault === 'cut') {
    request.socket.destroy();
    return;
  }
  if (fault === 'error-500') {
    response.writeHead(500).end('out of order');
    return;
  }
  if (fault === 'unauthorized' || request.headers.authorization !== expected) {
    response.writeHead(401, { 'www-authenticate': `${scheme} realm="git"` }).end('who are you?');
    return;
  }
  const pushes = url.pathname.endsWith('/git-receive-pack') || url.searchParams.get('service') === 'git-receive-pack';
  if (fault === 'read-only' && pushes) {
    response.writeHead(403).end('read only');
    return;
  }
  const sendsCommits = request.method === 'POST' && url.pathname.endsWith('/git-receive-pack');
  if (fault === 'cut-push' && sendsCommits) {
    request.once('data', () => request.socket.destroy());
    return;
  }
  const losesAnswer = fault === 'lose-answer' && sendsCommits;
  await runBackend(request, losesAnswer ? undefined : response, url, options);
  if (losesAnswer) request.socket.destroy();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Without a response it serves all the same, and tells nobody. */
async function runBackend(
  request: IncomingMessage,
  response: ServerResponse | undefined,
  url: URL,
  options: GitHttpServerOptions,
): Promise<void> {
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: options.username,
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.stdin.on('error', () => undefined);
  request.pipe(backend.stdin);
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of backend.stdout as AsyncIterable<Buffer>) {
    if (response === undefined) continue;
    if (head === undefined) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    writeHead(response, head.toString('latin1', 0, end));
    response.write(head.subarray(end + 4));
    head = undefined;
  }
  if (head !== undefined) response?.writeHead(502);
  response?.end();
}

function writeHead(response: ServerResponse, text: string): void {
  let status = 200;
  for (const line of text.split('\r\n')) {
    const [name = '', value = ''] = line.split(/:\s*/, 2);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}

async function makeCertificate(): Promise<{ key: string; cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'reverser-tls-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await run('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
        '-subj',
        '/CN=127.0.0.1',
      ],
      ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ]);
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
