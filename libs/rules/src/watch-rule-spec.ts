import { OPERATIONS } from '#domain';
import type { Operation } from '#domain';
import { Exclude, Type } from 'class-transformer';
import { ArrayNotEmpty, IsArray, IsBoolean, IsIn, IsObject, IsOptional, ValidateNested } from 'class-validator';
import type { LabelSelector } from './label-selector.ts';
import { CheckLabelSelector, CheckText } from './spec-decorators.ts';
import { API_VERSION_RULES, KIND_RULES, PATTERN_RULES, objectNameRules } from './text-rules.ts';

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
  @IsArray({ message: 'must be a list of entries with apiVersion and kind' })
  @ArrayNotEmpty({ message: 'must name at least one apiVersion and kind' })
  @IsObject({ each: true, message: 'each entry must hold apiVersion and kind' })
  @ValidateNested({ each: true, message: 'each entry must hold apiVersion and kind' })
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

  @IsArray({ message: `must be a list of ${OPERATIONS.join(', ')}` })
  @ArrayNotEmpty({ message: `must name at least one of ${OPERATIONS.join(', ')}; without the field, all` })
  @IsIn(OPERATIONS, { each: true, message: `each must be one of ${OPERATIONS.join(', ')}` })
  operations: Operation[] = [...OPERATIONS];

  @CheckText(PATTERN_RULES, { each: true })
  excludeUsers: string[] = [];

  @CheckText(PATTERN_RULES, { each: true })
  excludeFieldManagers: string[] = [];

  @IsBoolean({ message: 'must be true or false' })
  includeOwned: boolean = false;
}
