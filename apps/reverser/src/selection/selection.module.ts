import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { SelectedTypesModule } from './selected-types.module.ts';
import { SelectionController } from './selection-controller.service.ts';

/** From WatchRules to the rules in force and the webhook's registration. Imports: k8s, rules. */
@Module({})
export class SelectionModule {
  static register(imports: DynamicModule['imports']): DynamicModule {
    return {
      module: SelectionModule,
      imports: [SelectedTypesModule, ...(imports ?? [])],
      providers: [SelectionController],
      exports: [SelectionController],
    };
  }
}
