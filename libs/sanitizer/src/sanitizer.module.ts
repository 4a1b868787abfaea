import { Module } from '@nestjs/common';
import type { DynamicModule, FactoryProvider, ModuleMetadata } from '@nestjs/common';
import { DIGEST_KEY } from './digest-key.port.ts';
import type { DigestKeyPort } from './digest-key.port.ts';
import { SanitizerService } from './sanitizer.service.ts';

export interface SanitizerModuleOptions {
  /** Modules that export what `inject` names. */
  imports?: ModuleMetadata['imports'];
  inject?: FactoryProvider['inject'];
  useFactory: (...dependencies: never[]) => DigestKeyPort | Promise<DigestKeyPort>;
}

@Module({})
export class SanitizerModule {
  /** With a factory for the key's port. */
  static registerAsync(options: SanitizerModuleOptions): DynamicModule {
    return {
      module: SanitizerModule,
      imports: options.imports ?? [],
      providers: [
        {
          provide: DIGEST_KEY,
          inject: options.inject ?? [],
          useFactory: options.useFactory as FactoryProvider['useFactory'],
        },
        SanitizerService,
      ],
      exports: [SanitizerService],
    };
  }

  /** With a key's port that is there already. */
  static register(key: DigestKeyPort): DynamicModule {
    return SanitizerModule.registerAsync({ useFactory: () => key });
  }
}
