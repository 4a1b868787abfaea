import { OPERATIONS } from '#domain';
import type { Operation } from '#domain';
import { Exclude, Type } from 'class-transformer';
import { IsBoolean, IsOptional, ValidateNested } from 'class-validator';
import type { LabelSelector } from './label-selector.ts';
import { CheckEntries, CheckLabelSelector, CheckText, CheckTexts } from './spec-decorators.ts';
import { API_VERSION_RULES, KIND_RULES, OPERATION_RULES, PATTERN_RULES, objectNameRules } from './text-rules.ts';

/** One entry of `spec.resources`. */
export class ResourceEntrySpec {
  @CheckText(API_VERSION_RULES)
  apiVersion!: string;

  @CheckText(KIND_RULES)
  kind!: string;
}

/** A WatchRule's `spec` with its defaults applied. The fields' meaning is described in the resource's schema. */
export class WatchRuleSpec {
  @CheckText(objectNameRules('GitRepoConfig'))
  gitRepoConfigRef!: string;

  @Type(() => ResourceEntrySpec)
  @CheckEntries('apiVersion and kind')
  @ValidateNested({ each: true })
  resources!: ResourceEntrySpec[];

  // The selectors are copied as they are: a label key such as `constructor` is data, which class-transformer can't carry.
  @Exclude()
  @IsOptional()
  @CheckLabelSelector()
  namespaceSelector?: LabelSelector;

  @Exclude()
  @IsOptional()
  @CheckLabelSelector()
  labelSelector?: LabelSelector;

  @Exclude()
  @IsOptional()
  @CheckLabelSelector()
  excludeLabels?: LabelSelector;

  @CheckTexts(OPERATION_RULES, { orElse: 'name at least one operation, or remove the field for all' })
  operations: Operation[] = [...OPERATIONS];

  @CheckTexts(PATTERN_RULES)
  excludeUsers: string[] = [];

  @CheckTexts(PATTERN_RULES)
  excludeFieldManagers: string[] = [];

  @IsBoolean({ message: 'must be true or false' })
  includeOwned: boolean = false;
}
