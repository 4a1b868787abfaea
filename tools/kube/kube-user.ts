import type { KubeClient } from './kube-client.ts';
import { TypeLocator, type TypeName } from './type-locator.ts';

/** What names one object; more fields make it a manifest. */
export interface ObjectName {
  apiVersion: string;
  kind: string;
  metadata: {
    name?: string;
    namespace?: string;
    generateName?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** An object as the API server answers it. A caller that reads more than metadata says what it expects: `get<Service>(…)`. */
export interface LiveObject extends ObjectName {
  metadata: ObjectName['metadata'] & {
    name: string;
    uid: string;
    resourceVersion: string;
    deletionTimestamp?: string;
  };
}

export interface WriteOptions {
  dryRun?: boolean;
  fieldManager?: string;
  /** `status`, `scale`, … */
  subresource?: string;
}

const MERGE_PATCH = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const APPLY_PATCH = 'application/apply-patch+yaml';

/** What one user does to a cluster, by manifest. Everything throws a KubeError unless the API server agrees. */
export class KubeUser {
  readonly client: KubeClient;
  private readonly types: TypeLocator;

  constructor(client: KubeClient) {
    this.client = client;
    this.types = new TypeLocator(client);
  }

  async create<T = LiveObject>(object: ObjectName, options: WriteOptions = {}): Promise<T> {
    const path = await this.types.collectionOf({ ...object, namespace: object.metadata.namespace });
    return this.client.call<T>({ method: 'POST', path, query: queryOf(options), body: object });
  }

  async get<T = LiveObject>(object: ObjectName, options: { subresource?: string } = {}): Promise<T> {
    return this.client.call<T>({ method: 'GET', path: await this.pathOf(object, options.subresource) });
  }

  /** `undefined` where there is none. */
  async find<T = LiveObject>(object: ObjectName): Promise<T | undefined> {
    const { status } = await this.client.try({ method: 'GET', path: await this.pathOf(object) });
    return status === 404 ? undefined : this.get<T>(object);
  }

  async list<T = LiveObject>(type: TypeName, query?: Record<string, string>): Promise<T[]> {
    const path = await this.types.collectionOf(type);
    return (await this.client.call<{ items: T[] }>({ method: 'GET', path, query })).items;
  }

  /** PUT. */
  async replace<T = LiveObject>(object: ObjectName, options: WriteOptions = {}): Promise<T> {
    const path = await this.pathOf(object, options.subresource);
    return this.client.call<T>({ method: 'PUT', path, query: queryOf(options), body: object });
  }

  /** An object is a merge patch, an array a JSON patch. */
  async patch<T = LiveObject>(object: ObjectName, patch: object, options: WriteOptions = {}): Promise<T> {
    const path = await this.pathOf(object, options.subresource);
    const contentType = Array.isArray(patch) ? JSON_PATCH : MERGE_PATCH;
    return this.client.call<T>({ method: 'PATCH', path, query: queryOf(options), body: patch, contentType });
  }

  /** Server-side apply. */
  async apply<T = LiveObject>(object: ObjectName, options: WriteOptions & { force?: boolean } = {}): Promise<T> {
    const path = await this.pathOf(object, options.subresource);
    const force = options.force === true ? 'true' : undefined;
    const query = { ...queryOf({ fieldManager: 'tools', ...options }), force };
    return this.client.call<T>({ method: 'PATCH', path, query, body: object, contentType: APPLY_PATCH });
  }

  /** What `kubectl scale` does. */
  async scale(object: ObjectName, replicas: number): Promise<void> {
    await this.patch(object, { spec: { replicas } }, { subresource: 'scale' });
  }

  async delete(object: ObjectName, options: { dryRun?: boolean; propagationPolicy?: string } = {}): Promise<void> {
    const { dryRun, propagationPolicy } = options;
    await this.client.call({
      method: 'DELETE',
      path: await this.pathOf(object),
      query: { ...queryOf({ dryRun }), propagationPolicy },
    });
  }

  async deleteCollection(type: TypeName, query?: Record<string, string>): Promise<void> {
    await this.client.call({ method: 'DELETE', path: await this.types.collectionOf(type), query });
  }

  private async pathOf(object: ObjectName, subresource?: string): Promise<string> {
    const { name, namespace } = object.metadata;
    if (name === undefined || name === '') throw new Error(`This ${object.kind} has no name`);
    const collection = await this.types.collectionOf({ ...object, namespace });
    return [collection, encodeURIComponent(name), ...(subresource === undefined ? [] : [subresource])].join('/');
  }
}

function queryOf({ dryRun, fieldManager }: WriteOptions): Record<string, string | undefined> {
  return { dryRun: dryRun === true ? 'All' : undefined, fieldManager };
}
