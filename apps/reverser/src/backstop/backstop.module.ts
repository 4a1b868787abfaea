import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Backstop } from './backstop.service.ts';

/** From unannounced changes to ledger records. Imports: k8s, rules, ledger, capture. */
@Module({})
export class BackstopModule {
  static register(imports: DynamicModule['imports']): DynamicModule {
    return { module: BackstopModule, imports: imports ?? [], providers: [Backstop], exports: [Backstop] };
  }
}
