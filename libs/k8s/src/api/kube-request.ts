import type { IncomingHttpHeaders } from 'node:http';
import type { KubeObject } from '#domain';

export type QueryValue = string | number | boolean | undefined;

/** What every call takes. */
export interface CallOptions {
  signal?: AbortSignal;
  /** Milliseconds for the whole call. */
  timeoutMs?: number;
}

export interface WriteOptions extends CallOptions {
  fieldManager?: string;
  dryRun?: boolean;
}

export interface ListOptions extends CallOptions {
  labelSelector?: string;
  fieldSelector?: string;
  pageSize?: number;
  /** Only `metadata`, as PartialObjectMetadata. */
  metadataOnly?: boolean;
}

export interface KubeRequest extends CallOptions {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, QueryValue>;
  body?: unknown;
  contentType?: string;
  accept?: string;
}

export interface KubeResponse<T> {
  status: number;
  headers: IncomingHttpHeaders;
  /** Texts of the `Warning` headers. */
  warnings: string[];
  body: T;
}

export interface KubeList<T extends KubeObject = KubeObject> {
  items: T[];
  resourceVersion: string;
}
