import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { CertificateManager, ensureKeySecret, KubeApi } from '#k8s';
import { RulesService } from '#rules';
import { Backstop } from './backstop/backstop.service.ts';
import { LedgerWriter } from './capture/ledger-writer.service.ts';
import { RecordArrivals } from './capture/record-arrivals.service.ts';
import { Namespaces } from './capture/namespaces.service.ts';
import { prepareDataDir, SETTINGS } from './config/settings.ts';
import type { Settings } from './config/settings.ts';
import { DigestKey } from './digest-key.service.ts';
import { Readiness } from './health/readiness.service.ts';
import { RedisConnections } from './redis/redis-connections.service.ts';
import { RepositoryController } from './repositories/repository-controller.service.ts';
import { ResyncSchedule } from './resync/resync-schedule.service.ts';
import { Resync } from './resync/resync.service.ts';
import { SelectionController } from './selection/selection-controller.service.ts';
import type { SelectionChange } from './selection/selection-controller.service.ts';
import { SettleLoop } from './settle/settle-loop.service.ts';
import { AdmissionServer } from './webhook/admission-server.service.ts';

const RETRY_MS = 2_000;
/** Bytes of the digest key: the length of HMAC-SHA-256's own output. */
const DIGEST_KEY_BYTES = 32;

/** Brings the parts up in the order in which they need each other. Each step waits for what it needs, however long. */
@Injectable()
export class OperatorService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(OperatorService.name);
  private ending = false;
  private fail: (error: Error) => void = () => undefined;
  /** Resolves when something went wrong that trying again does not heal, such as a port that is taken. */
  readonly failed = new Promise<Error>((resolve) => (this.fail = resolve));
  /** Comparing without being asked is switched off with its interval. */
  private get comparesByItself(): boolean {
    return this.settings.resyncIntervalMs > 0;
  }

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly api: KubeApi,
    private readonly digestKey: DigestKey,
    private readonly certificates: CertificateManager,
    private readonly server: AdmissionServer,
    private readonly redis: RedisConnections,
    private readonly namespaces: Namespaces,
    private readonly rules: RulesService,
    private readonly repositories: RepositoryController,
    private readonly selection: SelectionController,
    private readonly writer: LedgerWriter,
    private readonly arrivals: RecordArrivals,
    private readonly settleLoop: SettleLoop,
    private readonly resync: Resync,
    private readonly schedule: ResyncSchedule,
    private readonly backstop: Backstop,
    private readonly readiness: Readiness,
  ) {}

  onApplicationBootstrap(): void {
    void this.start().catch((error: Error) => {
      if (this.ending) return;
      this.logger.fatal({ msg: 'the operator could not start', error: error.message });
      this.fail(error);
    });
  }

  onModuleDestroy(): void {
    this.ending = true;
    this.readiness.end();
  }

  private async start(): Promise<void> {
    const problem = prepareDataDir(this.settings);
    if (problem !== undefined) this.logger.error({ msg: problem });
    const redis = this.redis.answered.then(() => this.readiness.reach('redis'));
    this.digestKey.set(await this.retrying('the digest key can not be read', () => this.readDigestKey()));
    this.readiness.reach('keys');
    await redis;
    await this.serve();
    await this.namespaces.start();
    await this.arrivals.start();
    this.settleLoop.start(() => this.compareAll('the cluster was restored'));
    this.writer.onLost = () => this.compareAll('records were lost');
    this.namespaces.onRelabelled = (before, after) => {
      for (const key of this.rules.dividedBy(before, after)) this.resync.request(key, 'a namespace was relabelled');
    };
    this.resync.start();
    if (this.settings.backstop) this.backstop.start();
    await this.repositories.start({
      setChanged: () => this.selection.trigger(),
      resyncWanted: (key, reason) => {
        if (this.comparesByItself || reason !== 'repository opened') this.resync.request(key, reason);
      },
    });
    await this.selection.start(
      (key) => this.repositories.exists(key),
      (change) => this.follow(change),
    );
    this.schedule.start();
    this.readiness.reach('informers');
    this.logger.log({ msg: 'operator started' });
  }

  /** Rules are in force: what happened before is only found by comparing, and what no call announces by watching. */
  private follow({ registered, types, repositories }: SelectionChange): void {
    if (registered) this.readiness.reach('webhook');
    if (this.settings.backstop) this.backstop.follow(types);
    for (const repository of repositories) {
      const [namespace = '', name = ''] = repository.split('/');
      if (this.comparesByItself) this.resync.request({ namespace, name }, 'selection changed');
    }
  }

  private compareAll(reason: string): void {
    for (const key of this.repositories.keys()) this.resync.request(key, reason);
  }

  /** The admission server, with its certificate; each new certificate is served at once and registered after. */
  private async serve(): Promise<void> {
    let serving: Promise<void> = Promise.resolve();
    await this.certificates.start({
      names: webhookNames(this.settings),
      onChange: (certificate) => {
        serving = this.server.useCertificate(certificate);
        serving.then(
          () => this.selection.trigger(),
          (error: Error) => this.logger.error({ msg: 'the admission server can not listen', error: error.message }),
        );
      },
    });
    await serving;
    this.readiness.reach('certificate');
  }

  private readDigestKey(): Promise<Buffer> {
    const { podNamespace, instanceName } = this.settings;
    return ensureKeySecret(this.api, {
      namespace: podNamespace,
      name: `${instanceName}-keys`,
      instanceName,
      key: 'digest-key',
      bytes: DIGEST_KEY_BYTES,
    });
  }

  private async retrying<T>(problem: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (this.ending) throw error;
        this.logger.error({ msg: `${problem}, it is tried again`, error: (error as Error).message });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

/** The names that the API server may call us by. */
function webhookNames(settings: Settings): string[] {
  const { url, service } = settings.webhook;
  if (url !== undefined) return [new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')];
  const name = `${service}.${settings.podNamespace}`;
  return [`${name}.svc`, `${name}.svc.cluster.local`, name];
}
