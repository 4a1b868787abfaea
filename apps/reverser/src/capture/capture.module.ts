import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { CallsInHand } from './calls-in-hand.ts';
import { LedgerWriter } from './ledger-writer.service.ts';
import { Namespaces } from './namespaces.service.ts';
import { RecordArrivals } from './record-arrivals.service.ts';
import { Recorder } from './recorder.service.ts';
import { ScaleRecorder } from './scale-recorder.service.ts';
import { UnannouncedChanges } from './unannounced-changes.service.ts';

/** From an admission call to a ledger record. Imports: k8s, rules, sanitizer, ledger, queue, selected types. */
@Module({})
export class CaptureModule {
  static register(imports: DynamicModule['imports']): DynamicModule {
    return {
      module: CaptureModule,
      imports: imports ?? [],
      providers: [Namespaces, LedgerWriter, CallsInHand, RecordArrivals, UnannouncedChanges, ScaleRecorder, Recorder],
      exports: [Namespaces, LedgerWriter, RecordArrivals, UnannouncedChanges, Recorder],
    };
  }
}
