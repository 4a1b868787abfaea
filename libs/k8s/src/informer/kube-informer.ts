import { Logger } from '@nestjs/common';
import type { KubeObject } from '#domain';
import { errorFromNetwork } from '../api/classify-kube-error.ts';
import type { KubeApi } from '../api/kube-api.ts';
import { isKubeError } from '../api/kube-error.ts';
import type { KubeError } from '../api/kube-error.ts';
import { collectionPath } from '../api/object-path.ts';
import type { PathType } from '../api/object-path.ts';
import { backoffDelay, pause } from './backoff.ts';
import { ObjectStore } from './object-store.ts';
import type { StoreChange } from './object-store.ts';
import { readLines } from './read-lines.ts';
import { parseWatchEvent } from './watch-event.ts';
import type { WatchEvent } from './watch-event.ts';

const BACKOFF = { first: 500, limit: 30_000 };
/** A dead connection costs at most this time twice, plus the grace; each end costs the API server one cheap request. */
const TIMING = { watchSeconds: 90, graceMs: 10_000 };
/** A watch that ends sooner than this says that something is wrong, even without an error. */
const SHORT_WATCH_MS = 1_000;

/** What to watch and whom to tell. Listeners are called in the objects' order; what they throw is logged and changes nothing. */
export interface InformerOptions<T = KubeObject> {
  type: PathType;
  namespace?: string;
  fieldSelector?: string;
  labelSelector?: string;
  /** Only `metadata`, as PartialObjectMetadata (its kind and apiVersion are then those of PartialObjectMetadata). */
  metadataOnly?: boolean;
  /** What of an object is kept in memory; by default all of it. */
  transform?: (object: KubeObject) => T;
  onAdd?: (object: T) => void;
  onUpdate?: (object: T, previous: T) => void;
  onDelete?: (lastState: T) => void;
  /** How long the server is asked to keep a watch open (up to twice this), and how much longer we wait for its end. */
  timing?: { watchSeconds: number; graceMs: number };
  /** After each complete list: the store is now what the server has. */
  onSynced?: () => void;
  /** After each failure, before the next attempt. The informer itself never gives up. */
  onError?: (error: KubeError) => void;
}

/**
 * A list and then a watch of one type, forever, with the result in memory.
 *
 * Built on our own stream, not on client-node's Watch or ListWatch: ListWatch stops for good after an error that is neither 410 nor
 * a timeout, and Watch swallows lines that it can't parse. Three things end a connection that is dead without saying so:
 * the server is asked to end each watch after a time that we choose, we end it ourselves a little later, and TCP keepalive runs.
 * After 410 the list is read again; after any other end the watch goes on from the last version, bookmarks included.
 */
export class KubeInformer<T = KubeObject> {
  /** Resolves after the first complete list; never rejects, and stays pending after an early stop. */
  readonly synced: Promise<void>;
  /** Resolves once the informer was stopped and has ended. */
  readonly finished: Promise<void>;
  private readonly logger = new Logger(KubeInformer.name);
  private readonly stopper = new AbortController();
  private readonly store: ObjectStore<T>;
  private readonly path: string;
  private readonly api: KubeApi;
  private readonly options: InformerOptions<T>;
  private markSynced: () => void = () => undefined;
  private isSynced = false;
  private version: string | undefined;
  private failures = 0;

  /** Starts at once. Without a transform, T is KubeObject. */
  constructor(api: KubeApi, options: InformerOptions<T>) {
    this.api = api;
    this.options = options;
    this.path = collectionPath(options.type, options.namespace);
    this.store = new ObjectStore(options.transform ?? ((object): T => object as T));
    this.synced = new Promise((resolve) => {
      this.markSynced = resolve;
    });
    this.finished = this.run();
  }

  /** Whether a complete list was ever read. */
  get hasSynced(): boolean {
    return this.isSynced;
  }

  get size(): number {
    return this.store.size;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.store.get(namespace, name);
  }

  /** A snapshot of what is known. */
  items(): T[] {
    return [...this.store.values()];
  }

  /** Ends the watch; no listener is called after it resolved. */
  async stop(): Promise<void> {
    this.stopper.abort();
    await this.finished;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopper;
    while (!signal.aborted) {
      const startedAt = performance.now();
      try {
        this.version ??= await this.list();
        await this.watch(this.version);
        // a good watch that is over is followed by the next at once; one that ends at once, again and again, is not
        this.failures = performance.now() - startedAt < SHORT_WATCH_MS ? this.failures + 1 : 0;
      } catch (cause) {
        if (signal.aborted) return;
        this.fail(errorFromNetwork({ method: 'WATCH', path: this.path }, cause), performance.now() - startedAt);
      }
      if (this.failures > 0) await pause(backoffDelay(BACKOFF, this.failures, Math.random()), signal);
    }
  }

  private fail(error: KubeError, livedMs: number): void {
    if (isKubeError(error, 'Gone')) this.version = undefined;
    // a watch that lived for a while was fine: start the back-off again
    this.failures = livedMs > BACKOFF.limit ? 1 : this.failures + 1;
    this.logger.warn({
      msg: 'watch failed, it will be started again',
      path: this.path,
      code: error.code,
      error: error.message,
      failures: this.failures,
    });
    this.call(() => this.options.onError?.(error));
  }

  private async list(): Promise<string> {
    const { fieldSelector, labelSelector, metadataOnly } = this.options;
    const { signal } = this.stopper;
    const list = await this.api.list(this.path, { fieldSelector, labelSelector, metadataOnly, signal });
    this.tell(this.store.replace(list.items));
    this.isSynced = true;
    this.markSynced();
    this.call(() => this.options.onSynced?.());
    return list.resourceVersion;
  }

  private async watch(from: string): Promise<void> {
    const { fieldSelector, labelSelector, metadataOnly } = this.options;
    const { watchSeconds, graceMs } = this.options.timing ?? TIMING;
    const timeoutSeconds = Math.round(watchSeconds * (1 + Math.random()));
    const limit = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => limit.abort();
    this.stopper.signal.addEventListener('abort', stop);
    if (this.stopper.signal.aborted) limit.abort();
    try {
      const response = await this.api.stream({
        path: this.path,
        query: {
          watch: true,
          resourceVersion: from,
          allowWatchBookmarks: true,
          timeoutSeconds,
          fieldSelector,
          labelSelector,
        },
        accept:
          metadataOnly === true ? 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' : 'application/json',
        signal: limit.signal,
      });
      // From here on: the wait for the headers has a limit of its own, which names what happened.
      timer = setTimeout(() => limit.abort(), timeoutSeconds * 1000 + graceMs);
      for await (const line of readLines(response)) {
        if (this.stopper.signal.aborted) return;
        this.take(parseWatchEvent(line, this.path));
      }
    } finally {
      clearTimeout(timer);
      this.stopper.signal.removeEventListener('abort', stop);
      limit.abort();
    }
  }

  private take(event: WatchEvent): void {
    const version = event.object.metadata.resourceVersion;
    if (event.type === 'DELETED') this.tell(this.store.remove(event.object));
    else if (event.type !== 'BOOKMARK') this.tell(this.store.put(event.object));
    if (version !== undefined) this.version = version;
    this.failures = 0;
  }

  private tell(changes: StoreChange<T>[]): void {
    for (const change of changes) {
      if (this.stopper.signal.aborted) return;
      this.call(() => {
        if (change.type === 'added') this.options.onAdd?.(change.object);
        else if (change.type === 'updated') this.options.onUpdate?.(change.object, change.previous);
        else this.options.onDelete?.(change.object);
      });
    }
  }

  private call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.logger.error({
        msg: 'a listener of a watch failed',
        path: this.path,
        error: error instanceof Error ? error.stack : String(error),
      });
    }
  }
}
