import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { SelectedTypesModule } from '../selection/selected-types.module.ts';
import { Resync } from './resync.service.ts';
import { ResyncSchedule } from './resync-schedule.service.ts';
import { SnapshotReader } from './snapshot.service.ts';

/** From a list of the cluster to queued changes. Imports: k8s, rules, sanitizer, ledger, queue, capture, repositories. */
@Module({})
export class ResyncModule {
  static register(imports: DynamicModule['imports']): DynamicModule {
    return {
      module: ResyncModule,
      imports: [SelectedTypesModule, ...(imports ?? [])],
      providers: [SnapshotReader, Resync, ResyncSchedule],
      exports: [Resync, ResyncSchedule],
    };
  }
}
