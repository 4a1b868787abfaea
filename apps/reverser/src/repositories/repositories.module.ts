import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { RepositoryAccess } from './access.service.ts';
import { ListedScreen } from './listed-screen.service.ts';
import { RepositoryController } from './repository-controller.service.ts';

/** From queued changes to pushed commits. Imports: k8s, queue, git, ledger. */
@Module({})
export class RepositoriesModule {
  static register(imports: DynamicModule['imports']): DynamicModule {
    return {
      module: RepositoriesModule,
      imports: imports ?? [],
      providers: [RepositoryAccess, ListedScreen, RepositoryController],
      exports: [RepositoryController],
    };
  }
}
