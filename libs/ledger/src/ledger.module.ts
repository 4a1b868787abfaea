import { Module } from '@nestjs/common';
import type { DynamicModule, Provider } from '@nestjs/common';
import { LedgerService } from './ledger.service.ts';

export interface LedgerModuleOptions {
  imports?: DynamicModule['imports'];
  /** Provides the tokens LEDGER_REDIS and LEDGER_OPTIONS. */
  providers: Provider[];
}

@Module({})
export class LedgerModule {
  static register(options: LedgerModuleOptions): DynamicModule {
    return {
      module: LedgerModule,
      imports: options.imports ?? [],
      providers: [...options.providers, LedgerService],
      exports: [LedgerService],
    };
  }
}
