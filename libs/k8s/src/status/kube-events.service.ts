import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { errorFromNetwork } from '../api/classify-kube-error.ts';
import { KubeApi } from '../api/kube-api.ts';
import { isKubeError } from '../api/kube-error.ts';
import { collectionPath, objectPath } from '../api/object-path.ts';
import { K8S_OPTIONS } from '../k8s-options.ts';
import type { K8sOptions } from '../k8s-options.ts';
import { EventAggregator, buildEvent, microTime } from './aggregate-events.ts';
import type { EventRecord } from './aggregate-events.ts';

const EVENTS = { group: 'events.k8s.io', version: 'v1', resource: 'events' } as const;
const CONTROLLER = 'configbutler.ai/gitops-reverser';
/** Events are help, not record: a slow API server must not pile them up. */
const TIMEOUT_MS = 5_000;

/** Kubernetes Events about objects. Never throws and never rejects: an event that can't be written is logged. */
@Injectable()
export class KubeEvents implements OnApplicationShutdown {
  private readonly logger = new Logger(KubeEvents.name);
  private readonly aggregator = new EventAggregator();
  /** Paths of the events that were created, by series. */
  private readonly paths = new Map<string, string>();
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly api: KubeApi,
    @Inject(K8S_OPTIONS) private readonly options: K8sOptions,
  ) {}

  /** Writes an event; the same one again within six minutes only raises the first one's count, at most twice a minute. */
  async emit(event: EventRecord): Promise<void> {
    const now = Date.now();
    const decision = this.aggregator.record(event, now);
    switch (decision.write) {
      case 'create':
        return this.create(event, decision.key, now);
      case 'series':
        return this.writeSeries(decision.key, decision.count, now);
      case 'later':
        return this.schedule(decision.key, decision.at - now);
      case 'drop':
        this.logger.warn({ msg: 'too many different events for one object, one is dropped', reason: event.reason });
        return;
      default:
        return decision satisfies never;
    }
  }

  /** Writes the counts that still wait. */
  async onApplicationShutdown(): Promise<void> {
    const waiting = [...this.timers.keys()];
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    await Promise.all(waiting.map((key) => this.flush(key, true)));
  }

  private async create(event: EventRecord, key: string, now: number): Promise<void> {
    this.cancel(key); // a series that ended is not written under the new event
    const suffix = randomBytes(8).toString('hex');
    const body = buildEvent(event, {
      now,
      suffix,
      controller: CONTROLLER,
      instance: `${this.options.instanceName}-${hostname()}`,
    });
    const { namespace, name } = body.metadata;
    try {
      await this.api.create(collectionPath(EVENTS, namespace), body, { timeoutMs: TIMEOUT_MS });
      this.paths.set(key, objectPath(EVENTS, namespace, name ?? ''));
    } catch (cause) {
      this.failed(key, event.reason, cause);
    }
  }

  private async writeSeries(key: string, count: number, now: number): Promise<void> {
    const path = this.paths.get(key);
    if (path === undefined) return; // its creation is still under way or has failed
    try {
      await this.api.patch(path, { series: { count, lastObservedTime: microTime(now) } }, { timeoutMs: TIMEOUT_MS });
    } catch (cause) {
      if (isKubeError(cause, 'NotFound'))
        this.drop(key); // events expire after an hour
      else this.failed(key, '', cause);
    }
  }

  private schedule(key: string, delay: number): void {
    if (this.timers.has(key)) return;
    const timer = setTimeout(() => {
      this.timers.delete(key);
      void this.flush(key, false);
    }, delay);
    timer.unref();
    this.timers.set(key, timer);
  }

  private async flush(key: string, force: boolean): Promise<void> {
    const now = Date.now();
    const decision = this.aggregator.due(key, now, force);
    if (decision !== undefined) await this.writeSeries(key, decision.count, now);
  }

  private failed(key: string, reason: string, cause: unknown): void {
    this.drop(key);
    const { code, message } = errorFromNetwork({ method: 'POST', path: 'events' }, cause);
    this.logger.warn({ msg: 'event can not be written', reason, code, error: message });
  }

  private drop(key: string): void {
    this.cancel(key);
    this.paths.delete(key);
    this.aggregator.forget(key);
  }

  private cancel(key: string): void {
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
  }
}
