import { Module } from '@nestjs/common';
import type { DynamicModule, Provider } from '@nestjs/common';
import { RepositoryLock } from './repository-lock.ts';
import { ResyncQueue } from './resync-queue.ts';
import { RepositoryQueues } from './repository-queues.ts';
import { SettleQueue } from './settle-queue.ts';

export interface QueueModuleOptions {
  imports?: DynamicModule['imports'];
  /** Provides the token QUEUE_OPTIONS. */
  providers: Provider[];
}

@Module({})
export class QueueModule {
  static register(options: QueueModuleOptions): DynamicModule {
    return {
      module: QueueModule,
      imports: options.imports ?? [],
      providers: [...options.providers, SettleQueue, ResyncQueue, RepositoryQueues, RepositoryLock],
      exports: [SettleQueue, ResyncQueue, RepositoryQueues, RepositoryLock],
    };
  }
}
