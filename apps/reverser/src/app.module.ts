import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { COMMIT_SIGHTINGS, GitModule } from '#git';
import { K8sModule, loadKubeConfig, PROBE_MANAGER } from '#k8s';
import { LEDGER_OPTIONS, LEDGER_REDIS, LedgerModule } from '#ledger';
import { QUEUE_OPTIONS, QueueModule } from '#queue';
import { RulesModule } from '#rules';
import { SanitizerModule } from '#sanitizer';
import { BackstopModule } from './backstop/backstop.module.ts';
import { CaptureModule } from './capture/capture.module.ts';
import { Recorder } from './capture/recorder.service.ts';
import { SettingsModule } from './config/settings.module.ts';
import type { Settings } from './config/settings.ts';
import { DigestKeyModule } from './digest-key.module.ts';
import { DigestKey } from './digest-key.service.ts';
import { HealthModule } from './health/health.module.ts';
import { loggerOptions } from './observability/logger-options.ts';
import { ObservabilityModule } from './observability/observability.module.ts';
import { ReverserMetrics } from './observability/reverser-metrics.service.ts';
import { OperatorService } from './operator.service.ts';
import { RedisCommitSightings } from './redis/redis-commit-sightings.service.ts';
import { RedisConnections } from './redis/redis-connections.service.ts';
import { RedisModule } from './redis/redis.module.ts';
import { RepositoriesModule } from './repositories/repositories.module.ts';
import { ResyncModule } from './resync/resync.module.ts';
import { SelectedTypesModule } from './selection/selected-types.module.ts';
import { SelectionModule } from './selection/selection.module.ts';
import { SettleModule } from './settle/settle.module.ts';
import { ADMISSION_HANDLER } from './webhook/admission-review.ts';
import { WEBHOOK_OPTIONS } from './webhook/webhook-options.ts';
import type { WebhookOptions } from './webhook/webhook-options.ts';
import { WebhookModule } from './webhook/webhook.module.ts';

/** The whole operator. Reads top to bottom as an event travels. */
@Module({})
export class AppModule {
  /** `environment`: what Git processes inherit, such as PATH and proxies. */
  static register(settings: Settings, environment: Record<string, string>): DynamicModule {
    const { queuePrefix: prefix, podNamespace, instanceName, dataDir } = settings;
    const k8s = K8sModule.forRoot({ kubeConfig: loadKubeConfig(settings.kubeconfig), podNamespace, instanceName });
    const rules = RulesModule.forOwnNamespace(podNamespace);
    const sanitizer = SanitizerModule.registerAsync({
      imports: [DigestKeyModule],
      inject: [DigestKey],
      useFactory: (key: DigestKey) => key,
    });
    const ledger = LedgerModule.register({
      providers: [
        { provide: LEDGER_REDIS, inject: [RedisConnections], useFactory: (redis: RedisConnections) => redis.producer },
        { provide: LEDGER_OPTIONS, useValue: { prefix } },
      ],
    });
    const queue = QueueModule.register({
      providers: [
        {
          provide: QUEUE_OPTIONS,
          inject: [RedisConnections],
          useFactory: ({ producer, connectWorker }: RedisConnections) => ({ prefix, producer, connectWorker }),
        },
      ],
    });
    const git = GitModule.forRoot(
      { dataDir, environment },
      { sightings: { provide: COMMIT_SIGHTINGS, useClass: RedisCommitSightings } },
    );
    const capture = CaptureModule.register([k8s, rules, sanitizer, ledger, queue, SelectedTypesModule]);
    const webhook = WebhookModule.register({
      imports: [capture],
      providers: [
        { provide: ADMISSION_HANDLER, useExisting: Recorder },
        {
          provide: WEBHOOK_OPTIONS,
          inject: [ReverserMetrics],
          useFactory: (metrics: ReverserMetrics): WebhookOptions => ({
            port: settings.webhook.port,
            host: settings.webhook.host,
            shutdownGraceMs: settings.shutdownGraceMs,
            probe: { fieldManager: PROBE_MANAGER, warning: (digest) => `${PROBE_MANAGER}:${digest}` },
            onAnswered: (seconds) => metrics.admissionTook(seconds),
            onDropped: (drop) => metrics.eventProcessed({ ...drop, result: 'dropped' }),
          }),
        },
      ],
    });
    const settle = SettleModule.register([k8s, rules, sanitizer, ledger, queue, capture, SelectedTypesModule]);
    const repositories = RepositoriesModule.register([k8s, queue, git, ledger]);
    const backstop = BackstopModule.register([k8s, rules, ledger, capture]);
    const resync = ResyncModule.register([k8s, rules, sanitizer, ledger, queue, capture, repositories]);
    const selection = SelectionModule.register([k8s, rules]);
    return {
      module: AppModule,
      imports: [
        SettingsModule.register(settings),
        LoggerModule.forRoot(loggerOptions(settings.logLevel)),
        ObservabilityModule,
        HealthModule,
        RedisModule,
        DigestKeyModule,
        k8s,
        rules,
        webhook,
        capture,
        settle,
        repositories,
        backstop,
        resync,
        selection,
      ],
      providers: [OperatorService],
    };
  }
}
