import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { InformerFactory, isKubeError, KubeApi, objectPath } from '#k8s';
import type { KubeInformer } from '#k8s';

type Labels = Record<string, string>;
const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' };
/** Within the admission deadline, with room for the rest of the work. */
const READ_LIMIT_MS = 250;

/** Labels of namespaces: from a watch, and read live where an object comes before its namespace's news. */
@Injectable()
export class Namespaces {
  /** Told of a namespace whose labels have changed: other rules may select what is in it. */
  onRelabelled: (before: Labels, after: Labels) => void = () => undefined;
  private informer: KubeInformer<{ labels: Labels }> | undefined;

  constructor(
    private readonly api: KubeApi,
    private readonly informers: InformerFactory,
  ) {}

  /** Starts the watch; resolves once it knows all namespaces. */
  async start(): Promise<void> {
    this.informer = this.informers.createInformer<{ labels: Labels }>({
      type: NAMESPACES,
      metadataOnly: true,
      transform: (object) => ({ labels: object.metadata.labels ?? {} }),
      onUpdate: ({ labels }, { labels: before }) => {
        if (!isDeepStrictEqual(labels, before)) this.onRelabelled(before, labels);
      },
    });
    await this.informer.synced;
  }

  /** `unknown` where they could not be read in time; an object without namespace has none. */
  async labelsOf(namespace: string | undefined): Promise<Labels | 'unknown' | undefined> {
    if (namespace === undefined) return undefined;
    const known = this.informer?.get(undefined, namespace);
    if (known !== undefined) return known.labels;
    try {
      const live = await this.api.get(objectPath(NAMESPACES, undefined, namespace), { timeoutMs: READ_LIMIT_MS });
      return live.metadata.labels ?? {};
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return {};
      return 'unknown';
    }
  }
}
