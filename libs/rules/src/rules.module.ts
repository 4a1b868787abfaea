import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { OWN_NAMESPACE, RulesService } from './rules.service.ts';

/** Matching of changes against the rules in force. */
@Module({ providers: [RulesService], exports: [RulesService] })
export class RulesModule {
  /** The module with the operator's own namespace, in which nothing is ever captured. */
  static forOwnNamespace(ownNamespace: string): DynamicModule {
    return { module: RulesModule, providers: [{ provide: OWN_NAMESPACE, useValue: ownNamespace }] };
  }
}
