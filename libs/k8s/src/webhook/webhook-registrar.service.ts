import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { KubeObject, ObjectRef } from '#domain';
import { errorFromNetwork } from '../api/classify-kube-error.ts';
import { KubeApi } from '../api/kube-api.ts';
import { isKubeError } from '../api/kube-error.ts';
import { collectionPath, objectPath, refPath } from '../api/object-path.ts';
import { FIELD_MANAGER, INSTANCE_LABEL, SECRETS } from '../certificates/secret-data.ts';
import { backoffDelay, pause } from '../informer/backoff.ts';
import { KubeInformer } from '../informer/kube-informer.ts';
import { K8S_OPTIONS } from '../k8s-options.ts';
import type { K8sOptions } from '../k8s-options.ts';
import { PROBE_MANAGER, WEBHOOK_CONFIGURATIONS } from './build-webhook-configuration.ts';
import type { WebhookConfiguration } from './build-webhook-configuration.ts';

const MAX_RACES = 8;
/** API servers read a new configuration within a second; this waits about 20 s in all. */
const CONFIRM_ATTEMPTS = 30;
const CONFIRM_BACKOFF = { first: 100, limit: 1_000 };
/** Two replicas of different releases may want different things for a while: they take turns ever more slowly. */
const HEAL_BACKOFF = { first: 1_000, limit: 60_000 };
/** No foreign edit for this long: the next one is healed quickly again. */
const CALM_MS = 300_000;

/** What is desired, computed from fresh reads. */
export type Refresh = () => Promise<WebhookConfiguration>;

/** Keeps this instance's ValidatingWebhookConfiguration as it was last asked for, also when others change it. */
@Injectable()
export class WebhookRegistrar implements OnApplicationShutdown {
  private readonly logger = new Logger(WebhookRegistrar.name);
  private readonly stopper = new AbortController();
  private readonly path: string;
  private desired: WebhookConfiguration | undefined;
  private refresh: Refresh | undefined;
  private informer: KubeInformer | undefined;
  private healing: Promise<void> | undefined;
  private heals = 0;
  private healedAt = 0;

  constructor(
    private readonly api: KubeApi,
    @Inject(K8S_OPTIONS) private readonly options: K8sOptions,
  ) {
    this.path = objectPath(WEBHOOK_CONFIGURATIONS, undefined, options.instanceName);
  }

  /**
   * Creates or changes the configuration where it is not yet as desired, and keeps it so from now on.
   * @param refresh computes what is desired from what the API server holds now; it is asked before anything is written, after the
   *   configuration was read. So a replica whose watches lag never writes over what another one has written from newer rules.
   * @returns whether something was written.
   */
  async apply(desired: WebhookConfiguration, refresh: Refresh, signal?: AbortSignal): Promise<boolean> {
    this.desired = desired;
    this.refresh = refresh;
    const written = await this.write(refresh, signal);
    this.informer ??= this.watch();
    return written;
  }

  /**
   * Whether the API server that answers us already calls the webhook as configured under `digest`: a dry-run patch that changes nothing, of one of our
   * own custom resources, comes back with the warning that only the webhook itself can have written. Asked again for about 20 seconds.
   * With several API servers it proves the one that answered.
   * @throws KubeError when the patch itself is refused (RBAC: patch on the resource).
   */
  async confirm(
    digest: string,
    ref: Omit<ObjectRef, 'uid' | 'kind'>,
    options: { signal?: AbortSignal; attempts?: number } = {},
  ): Promise<boolean> {
    const signal = options.signal ?? this.stopper.signal;
    const attempts = options.attempts ?? CONFIRM_ATTEMPTS;
    for (let attempt = 1; attempt <= attempts && !signal.aborted; attempt += 1) {
      const { warnings } = await this.api.request({
        method: 'PATCH',
        path: refPath(ref),
        query: { dryRun: 'All', fieldManager: PROBE_MANAGER },
        contentType: 'application/merge-patch+json',
        body: {},
        signal,
      });
      if (warnings.includes(`${PROBE_MANAGER}:${digest}`)) return true;
      if (attempt < attempts) await pause(backoffDelay(CONFIRM_BACKOFF, attempt, Math.random()), signal);
    }
    return false;
  }

  /** Removes the configuration, then every Secret that this instance made for itself. What is already gone is fine. */
  async remove(signal?: AbortSignal): Promise<void> {
    await this.stop();
    await this.deleteIfThere(this.path, signal);
    const { podNamespace, instanceName } = this.options;
    const labelSelector = `${INSTANCE_LABEL}=${instanceName}`;
    const secrets = await this.api.list(collectionPath(SECRETS, podNamespace), {
      labelSelector,
      metadataOnly: true,
      signal,
    });
    for (const secret of secrets.items) {
      await this.deleteIfThere(objectPath(SECRETS, podNamespace, secret.metadata.name ?? ''), signal);
    }
  }

  /** Ends the healing; the configuration stays. */
  async stop(): Promise<void> {
    this.stopper.abort();
    await this.informer?.stop();
    await this.healing;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  private async write(refresh: Refresh, signal: AbortSignal | undefined): Promise<boolean> {
    for (let race = 0; ; race += 1) {
      try {
        const current = await this.read(signal);
        if (current !== undefined && isSame(current, this.desired?.configuration)) return false;
        const desired = await refresh();
        this.desired = desired;
        if (current !== undefined && isSame(current, desired.configuration)) return false;
        if (current === undefined) {
          const collection = collectionPath(WEBHOOK_CONFIGURATIONS);
          await this.api.create(collection, desired.configuration, { fieldManager: FIELD_MANAGER, signal });
        } else {
          await this.api.update(this.path, merge(current, desired.configuration), {
            fieldManager: FIELD_MANAGER,
            signal,
          });
        }
        this.logger.log({ msg: 'webhook configuration written', digest: desired.digest });
        return true;
      } catch (error) {
        if (!isKubeError(error, 'Conflict', 'AlreadyExists', 'NotFound') || race >= MAX_RACES) throw error;
      }
    }
  }

  private async read(signal: AbortSignal | undefined): Promise<KubeObject | undefined> {
    try {
      return await this.api.get(this.path, { signal });
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  private async deleteIfThere(path: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.api.delete(path, { signal });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
    }
  }

  private watch(): KubeInformer {
    const look = (current: KubeObject | undefined): void => {
      if (current === undefined || !isSame(current, this.desired?.configuration)) this.heal();
    };
    return new KubeInformer<KubeObject>(this.api, {
      type: WEBHOOK_CONFIGURATIONS,
      fieldSelector: `metadata.name=${this.options.instanceName}`,
      onAdd: look,
      onUpdate: look,
      onDelete: () => look(undefined),
    });
  }

  /** Our own write is also seen by the watch: waiting first, then comparing again, makes that free. */
  private heal(): void {
    this.healing ??= (async (): Promise<void> => {
      const { signal } = this.stopper;
      for (let done = false; !done && !signal.aborted;) {
        if (performance.now() - this.healedAt > CALM_MS) this.heals = 0;
        this.heals += 1;
        await pause(backoffDelay(HEAL_BACKOFF, this.heals, Math.random()), signal);
        done = signal.aborted || (await this.healOnce());
      }
      this.healing = undefined;
    })();
  }

  private async healOnce(): Promise<boolean> {
    if (this.refresh === undefined) return true;
    try {
      const written = await this.write(this.refresh, this.stopper.signal);
      this.healedAt = performance.now();
      if (!written) this.heals = Math.max(0, this.heals - 1);
      else this.logger.warn({ msg: 'webhook configuration was changed by somebody else and is restored' });
      return true;
    } catch (cause) {
      const { code, message } = errorFromNetwork({ method: 'PUT', path: this.path }, cause);
      this.logger.warn({ msg: 'webhook configuration can not be restored', code, error: message });
      return false;
    }
  }
}

/** Whether all that we decide about is as desired; other labels and annotations are none of our business. */
function isSame(current: KubeObject, desired: KubeObject | undefined): boolean {
  if (desired === undefined) return true;
  const label = current.metadata.labels?.[INSTANCE_LABEL];
  return (
    label === desired.metadata.labels?.[INSTANCE_LABEL] &&
    isDeepStrictEqual(current['webhooks'] ?? [], desired['webhooks'])
  );
}

function merge(current: KubeObject, desired: KubeObject): KubeObject {
  const labels = { ...current.metadata.labels, ...desired.metadata.labels };
  return { ...desired, metadata: { ...current.metadata, labels, managedFields: undefined } };
}
