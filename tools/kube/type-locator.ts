import type { KubeClient } from './kube-client.ts';

export interface TypeName {
  apiVersion: string;
  kind: string;
  /** Absent: the collection of all namespaces, or of a cluster-scoped type. */
  namespace?: string;
}

interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[];
}

/** Finds the path of a type's collection by discovery; asks again for a type that it doesn't know yet (a new CRD). */
export class TypeLocator {
  private readonly client: KubeClient;
  private readonly known = new Map<string, { resource: string; namespaced: boolean }>();

  constructor(client: KubeClient) {
    this.client = client;
  }

  async collectionOf({ apiVersion, kind, namespace }: TypeName): Promise<string> {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const key = `${apiVersion}/${kind}`;
    if (!this.known.has(key)) await this.discover(apiVersion, base);
    const type = this.known.get(key);
    if (type === undefined) throw new Error(`The API server serves no ${kind} of ${apiVersion}`);
    const within = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    return `${base}${within}/${type.resource}`;
  }

  private async discover(apiVersion: string, base: string): Promise<void> {
    const { resources } = await this.client.call<ResourceList>({ method: 'GET', path: base });
    for (const { name, kind, namespaced } of resources) {
      const subresource = name.includes('/');
      if (!subresource) this.known.set(`${apiVersion}/${kind}`, { resource: name, namespaced });
    }
  }
}
