import type { IncomingMessage } from 'node:http';
import type { KubeConfig } from '@kubernetes/client-node';
import type { KubeObject, ObjectRef } from '#domain';
import { errorFromResponse } from './classify-kube-error.ts';
import { parseExactJson, writeExactJson } from './exact-json.ts';
import { KubeError, isKubeError } from './kube-error.ts';
import type {
  CallOptions,
  KubeList,
  KubeRequest,
  KubeResponse,
  ListOptions,
  QueryValue,
  WriteOptions,
} from './kube-request.ts';
import { KubeTransport } from './kube-transport.ts';
import { refPath } from './object-path.ts';
import { parseWarnings } from './parse-warnings.ts';
import { TimeLimit } from './time-limit.ts';

/** Longest time for one call, headers and body. The API server gives up on a request after 60 s. */
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_PAGE_SIZE = 500;
/** A list that expires while its pages are read (410) is started again this often before it is an error. */
const LIST_RESTARTS = 3;

const JSON_TYPE = 'application/json';
const PARTIAL = 'as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const PARTIAL_LIST = 'as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/**
 * The API server as plain JSON: nothing is dropped or turned into a Date, as client-node's generated classes would. Integers
 * that a double can't hold are BigInts.
 * All methods throw KubeError.
 */
export class KubeApi {
  private readonly transport: KubeTransport;

  constructor(config: KubeConfig) {
    this.transport = new KubeTransport(config);
  }

  async get<T extends KubeObject = KubeObject>(
    path: string,
    options: CallOptions & { metadataOnly?: boolean } = {},
  ): Promise<T> {
    const accept = options.metadataOnly === true ? `${JSON_TYPE};${PARTIAL}` : JSON_TYPE;
    return (await this.request<T>({ method: 'GET', path, accept, ...options })).body;
  }

  /** The object as it is now, by name (the uid may be another's); undefined where there is none. */
  async readLive(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return await this.get(refPath(ref), { signal });
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** All objects of one consistent version, read in pages: complete, or an error. Items always have apiVersion and kind. */
  async list<T extends KubeObject = KubeObject>(path: string, options: ListOptions = {}): Promise<KubeList<T>> {
    for (let restart = 0; ; restart += 1) {
      try {
        return await this.listOnce<T>(path, options);
      } catch (error) {
        if (!isKubeError(error, 'Gone') || restart >= LIST_RESTARTS) throw error;
      }
    }
  }

  async create<T extends KubeObject = KubeObject>(
    collection: string,
    body: KubeObject,
    options: WriteOptions = {},
  ): Promise<T> {
    return (await this.request<T>({ method: 'POST', path: collection, body, ...writeQuery(options) })).body;
  }

  /** Replaces the object; with metadata.resourceVersion set, only if it still has that version (else `Conflict`). */
  async update<T extends KubeObject = KubeObject>(
    path: string,
    body: KubeObject,
    options: WriteOptions = {},
  ): Promise<T> {
    return (await this.request<T>({ method: 'PUT', path, body, ...writeQuery(options) })).body;
  }

  /** A JSON merge patch (RFC 7386): null removes, lists are replaced. */
  async patch<T extends KubeObject = KubeObject>(path: string, body: unknown, options: WriteOptions = {}): Promise<T> {
    const contentType = 'application/merge-patch+json';
    return (await this.request<T>({ method: 'PATCH', path, body, contentType, ...writeQuery(options) })).body;
  }

  /** Server-side apply. Needs a field manager. */
  async apply<T extends KubeObject = KubeObject>(
    path: string,
    body: KubeObject,
    options: WriteOptions & { fieldManager: string; force?: boolean },
  ): Promise<T> {
    const { query, ...call } = writeQuery(options);
    const contentType = 'application/apply-patch+yaml';
    return (
      await this.request<T>({
        method: 'PATCH',
        path,
        body,
        contentType,
        ...call,
        query: { ...query, force: options.force },
      })
    ).body;
  }

  /** Deletes by path; `uid` and `resourceVersion` make it conditional (else `Conflict`). */
  async delete(path: string, options: CallOptions & { uid?: string; resourceVersion?: string } = {}): Promise<void> {
    const { uid, resourceVersion, ...call } = options;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    await this.request({ method: 'DELETE', path, body, ...call });
  }

  /** One call, with what the answer's headers say. */
  async request<T = unknown>(request: KubeRequest): Promise<KubeResponse<T>> {
    const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const limit = new TimeLimit(timeoutMs, request.signal);
    const path = withQuery(request.path, request.query);
    try {
      const response = await this.transport.send({
        method: request.method,
        path,
        headers: headersFor(request),
        signal: limit.signal,
        ...(request.body === undefined ? {} : { body: writeExactJson(request.body) }),
      });
      const text = await readText(response);
      const status = response.statusCode ?? 0;
      if (status < 200 || status > 299)
        throw errorFromResponse({ method: request.method, path }, status, response.headers, text);
      const warnings = parseWarnings(response.headersDistinct['warning'] ?? []);
      return { status, headers: response.headers, warnings, body: parseBody<T>(request, text) };
    } catch (error) {
      throw limit.explain(request, error);
    } finally {
      limit.end();
    }
  }

  /**
   * A watch's response stream, headers received, status 200. `timeoutMs` bounds the wait for the headers only;
   * `signal` ends the stream at any time.
   */
  async stream(request: {
    path: string;
    query: Record<string, QueryValue>;
    accept: string;
    signal: AbortSignal;
    timeoutMs?: number;
  }): Promise<IncomingMessage> {
    const path = withQuery(request.path, request.query);
    const label = { method: 'GET', path };
    const limit = new TimeLimit(request.timeoutMs ?? DEFAULT_TIMEOUT_MS, request.signal);
    try {
      const headers = { Accept: request.accept };
      const response = await this.transport.send({ ...label, headers, signal: limit.signal, stream: true });
      if (response.statusCode === 200) {
        response.once('close', () => limit.end());
        limit.disarm();
        return response;
      }
      throw errorFromResponse(label, response.statusCode ?? 0, response.headers, await readText(response));
    } catch (error) {
      limit.end();
      throw limit.explain(label, error);
    }
  }

  /** Closes the connection pool. */
  close(): void {
    this.transport.close();
  }

  private async listOnce<T extends KubeObject>(path: string, options: ListOptions): Promise<KubeList<T>> {
    const { labelSelector, fieldSelector, pageSize = DEFAULT_PAGE_SIZE, metadataOnly, ...call } = options;
    const accept = metadataOnly === true ? `${JSON_TYPE};${PARTIAL_LIST}` : JSON_TYPE;
    const items: T[] = [];
    let token: string | undefined;
    for (;;) {
      const query = { labelSelector, fieldSelector, limit: pageSize, continue: token };
      const { body } = await this.request<ListBody<T>>({ method: 'GET', path, query, accept, ...call });
      if (body.items === undefined || typeof body.metadata?.resourceVersion !== 'string') {
        throw new KubeError('BadResponse', `GET ${path}: the answer is no list`, { retryable: false });
      }
      const kind = body.kind.replace(/List$/, ''); // built-in lists leave both out of their items
      for (const item of body.items ?? [])
        items.push({ ...item, apiVersion: item.apiVersion ?? body.apiVersion, kind: item.kind ?? kind });
      token = body.metadata.continue;
      if (token === undefined || token === '') return { items, resourceVersion: body.metadata.resourceVersion };
    }
  }
}

interface ListBody<T> {
  apiVersion: string;
  kind: string;
  metadata?: { resourceVersion?: string; continue?: string };
  /** null where an empty list is asked for as PartialObjectMetadataList. */
  items?: T[] | null;
}

function writeQuery(options: WriteOptions): CallOptions & { query: Record<string, QueryValue> } {
  return {
    signal: options.signal,
    timeoutMs: options.timeoutMs,
    query: { fieldManager: options.fieldManager, dryRun: options.dryRun === true ? 'All' : undefined },
  };
}

function withQuery(path: string, query: Record<string, QueryValue> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}

function headersFor(request: KubeRequest): Record<string, string> {
  const headers: Record<string, string> = { Accept: request.accept ?? JSON_TYPE };
  if (request.body !== undefined) headers['Content-Type'] = request.contentType ?? JSON_TYPE;
  return headers;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody<T>(request: KubeRequest, text: string): T {
  try {
    return parseExactJson(text) as T;
  } catch (cause) {
    throw new KubeError('BadResponse', `${request.method} ${request.path}: the answer is no JSON`, {
      retryable: true,
      cause,
    });
  }
}
