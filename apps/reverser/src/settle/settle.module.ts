import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { ObjectHistory } from './object-history.service.ts';
import { ObjectReader } from './object-reader.service.ts';
import { SettleLoop } from './settle-loop.service.ts';
import { Settler } from './settler.service.ts';

/** From ledger records to queued changes. Imports: k8s, rules, sanitizer, ledger, queue, capture, selected types. */
@Module({})
export class SettleModule {
  static register(imports: DynamicModule['imports']): DynamicModule {
    return {
      module: SettleModule,
      imports: imports ?? [],
      providers: [ObjectHistory, ObjectReader, Settler, SettleLoop],
      exports: [SettleLoop],
    };
  }
}
