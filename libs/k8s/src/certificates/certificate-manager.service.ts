import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { KubeObject } from '#domain';
import { KubeApi } from '../api/kube-api.ts';
import { errorFromNetwork } from '../api/classify-kube-error.ts';
import { backoffDelay, pause } from '../informer/backoff.ts';
import { KubeInformer } from '../informer/kube-informer.ts';
import { K8S_OPTIONS } from '../k8s-options.ts';
import type { K8sOptions } from '../k8s-options.ts';
import type { CertificateFiles } from './certificate-state.ts';
import { reconcileSecret } from './own-secret.ts';
import { renewCertificates } from './renew-certificates.ts';
import { SECRETS, secretText } from './secret-data.ts';

const CHECK_INTERVAL_MS = 3_600_000;
const BACKOFF = { first: 500, limit: 30_000 };

/** What the webhook server and the webhook configuration need, PEM. */
export interface ServingCertificate {
  cert: string;
  key: string;
  caBundle: string;
}

export interface CertificateWatch {
  /** DNS names and IP addresses that API servers call us by. */
  names: readonly string[];
  /** The first certificate, and each one that replaces it. Called before `start` resolves. */
  onChange: (certificate: ServingCertificate) => void;
}

/** Keeps the CA and serving certificate of this instance in the Secret `<instance>-webhook-tls`, shared by all replicas. */
@Injectable()
export class CertificateManager implements OnApplicationShutdown {
  private readonly logger = new Logger(CertificateManager.name);
  private readonly stopper = new AbortController();
  private readonly secretName: string;
  private current: ServingCertificate | undefined;
  private informer: KubeInformer<string> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;

  constructor(
    private readonly api: KubeApi,
    @Inject(K8S_OPTIONS) private readonly options: K8sOptions,
  ) {
    this.secretName = `${options.instanceName}-webhook-tls`;
  }

  /** The certificate in use; undefined before the first one. */
  get certificate(): ServingCertificate | undefined {
    return this.current;
  }

  /** Resolves once there is a certificate; tries again forever (the log says why it fails) until {@link stop}. */
  async start(watch: CertificateWatch): Promise<void> {
    await this.keepTrying(watch);
    if (this.stopper.signal.aborted) return;
    const check = (): void => this.trigger(watch);
    this.timer = setInterval(check, CHECK_INTERVAL_MS);
    this.timer.unref();
    this.informer = new KubeInformer<string>(this.api, {
      type: SECRETS,
      namespace: this.options.podNamespace,
      fieldSelector: `metadata.name=${this.secretName}`,
      transform: (secret) => secret.metadata.resourceVersion ?? '', // keys stay out of the cache
      onAdd: check,
      onUpdate: check,
      onDelete: check,
    });
  }

  /**
   * Looks once and repairs what is wrong.
   * @throws KubeError, `NamespaceNotFound` when POD_NAMESPACE does not exist.
   */
  async reconcile(watch: CertificateWatch): Promise<void> {
    const { podNamespace, instanceName } = this.options;
    const place = { namespace: podNamespace, name: this.secretName, instanceName };
    let issued: CertificateFiles | undefined;
    const decide = async (secret: KubeObject | undefined): Promise<Record<string, string> | undefined> => {
      const files = filesOf(secret);
      issued = undefined;
      const names = watch.names;
      const renewed = await renewCertificates(files, {
        names,
        commonName: `${instanceName} webhook CA`,
        now: Date.now(),
      });
      if (renewed === files) return undefined;
      issued = renewed;
      return { 'ca.crt': renewed.caCert, 'ca.key': renewed.caKey, 'tls.crt': renewed.cert, 'tls.key': renewed.key };
    };
    const { cert, key, caCert } = filesOf(await reconcileSecret(this.api, place, decide, this.stopper.signal));
    if (issued !== undefined) {
      this.logger.log({ msg: 'webhook certificates written', secret: this.secretName, names: watch.names });
    }
    const known = this.current;
    if (known?.cert === cert && known.key === key && known.caBundle === caCert) return;
    this.current = { cert, key, caBundle: caCert };
    watch.onChange(this.current);
  }

  async stop(): Promise<void> {
    this.stopper.abort();
    clearInterval(this.timer);
    await this.informer?.stop();
    await this.running;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  /** One run at a time; what comes meanwhile is looked at afterwards. */
  private trigger(watch: CertificateWatch): void {
    this.again = true;
    this.running ??= (async (): Promise<void> => {
      while (this.again && !this.stopper.signal.aborted) {
        this.again = false;
        await this.keepTrying(watch);
      }
      this.running = undefined;
    })();
  }

  private async keepTrying(watch: CertificateWatch): Promise<void> {
    const { signal } = this.stopper;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        await this.reconcile(watch);
        return;
      } catch (cause) {
        if (signal.aborted) return;
        const { code, message } = errorFromNetwork({ method: 'RECONCILE', path: this.secretName }, cause);
        this.logger.error({ msg: 'webhook certificate can not be kept', code, error: message, failures });
        await pause(backoffDelay(BACKOFF, failures, Math.random()), signal);
      }
    }
  }
}

function filesOf(secret: KubeObject | undefined): CertificateFiles {
  return {
    caCert: secretText(secret, 'ca.crt'),
    caKey: secretText(secret, 'ca.key'),
    cert: secretText(secret, 'tls.crt'),
    key: secretText(secret, 'tls.key'),
  };
}
