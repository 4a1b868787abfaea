import { type DynamicModule, type FactoryProvider, Module, type Provider } from '@nestjs/common';
import { COMMIT_SIGHTINGS, InMemoryCommitSightings, type CommitSightings } from './commit-sightings.ts';
import { GIT_OPTIONS, type GitOptions } from './git-options.ts';
import { GitRepositories } from './git-repositories.ts';

/** Where sightings of commits are kept; default: in memory. */
export interface GitModuleExtras {
  sightings?: Provider<CommitSightings>;
  imports?: DynamicModule['imports'];
}

export interface GitModuleAsyncOptions extends GitModuleExtras {
  useFactory: (...dependencies: never[]) => GitOptions | Promise<GitOptions>;
  inject?: FactoryProvider['inject'];
}

@Module({})
export class GitModule {
  static forRoot(options: GitOptions, extras: GitModuleExtras = {}): DynamicModule {
    return assemble({ provide: GIT_OPTIONS, useValue: options }, extras);
  }

  static forRootAsync(options: GitModuleAsyncOptions): DynamicModule {
    return assemble({ provide: GIT_OPTIONS, useFactory: options.useFactory, inject: options.inject ?? [] }, options);
  }
}

function assemble(options: Provider, extras: GitModuleExtras): DynamicModule {
  const sightings: Provider = extras.sightings ?? { provide: COMMIT_SIGHTINGS, useClass: InMemoryCommitSightings };
  return {
    module: GitModule,
    imports: extras.imports ?? [],
    providers: [options, sightings, GitRepositories],
    exports: [GitRepositories],
  };
}
