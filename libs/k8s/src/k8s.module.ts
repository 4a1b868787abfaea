import { Module } from '@nestjs/common';
import type { DynamicModule, FactoryProvider, ModuleMetadata, Provider } from '@nestjs/common';
import { KubeApi } from './api/kube-api.ts';
import { CertificateManager } from './certificates/certificate-manager.service.ts';
import { Discovery } from './discovery/discovery.service.ts';
import { InformerFactory } from './informer/informer-factory.service.ts';
import { K8S_OPTIONS } from './k8s-options.ts';
import type { K8sOptions } from './k8s-options.ts';
import { KubeEvents } from './status/kube-events.service.ts';
import { StatusWriter } from './status/status-writer.service.ts';
import { WebhookRegistrar } from './webhook/webhook-registrar.service.ts';

/** Options that come from other providers. */
export interface K8sAsyncOptions {
  imports?: ModuleMetadata['imports'];
  inject?: FactoryProvider['inject'];
  useFactory: (...dependencies: never[]) => K8sOptions | Promise<K8sOptions>;
}

const API: FactoryProvider<KubeApi> = {
  provide: KubeApi,
  inject: [K8S_OPTIONS],
  useFactory: (options: K8sOptions) => new KubeApi(options.kubeConfig),
};
const SERVICES = [Discovery, InformerFactory, CertificateManager, WebhookRegistrar, StatusWriter, KubeEvents];

/** Everything that talks to the Kubernetes API. */
@Module({})
export class K8sModule {
  static forRoot(options: K8sOptions): DynamicModule {
    return assemble({ provide: K8S_OPTIONS, useValue: options }, []);
  }

  static forRootAsync(options: K8sAsyncOptions): DynamicModule {
    return assemble(
      { provide: K8S_OPTIONS, inject: options.inject ?? [], useFactory: options.useFactory },
      options.imports ?? [],
    );
  }
}

function assemble(options: Provider, imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
  return {
    module: K8sModule,
    global: true,
    imports,
    providers: [options, API, ...SERVICES],
    exports: [K8S_OPTIONS, KubeApi, ...SERVICES],
  };
}
