import { Module } from '@nestjs/common';
import type { DynamicModule, Provider } from '@nestjs/common';
import { AdmissionServer } from './admission-server.service.ts';

export interface WebhookModuleOptions {
  imports?: DynamicModule['imports'];
  /** Provides the tokens WEBHOOK_OPTIONS and ADMISSION_HANDLER. */
  providers: Provider[];
}

@Module({})
export class WebhookModule {
  static register(options: WebhookModuleOptions): DynamicModule {
    return {
      module: WebhookModule,
      imports: options.imports ?? [],
      providers: [...options.providers, AdmissionServer],
      exports: [AdmissionServer],
    };
  }
}
