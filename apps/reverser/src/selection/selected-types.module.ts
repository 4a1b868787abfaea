import { Module } from '@nestjs/common';
import { RuleCurrency } from './rule-currency.service.ts';
import { SelectedTypes } from './selected-types.service.ts';

@Module({ providers: [SelectedTypes, RuleCurrency], exports: [SelectedTypes, RuleCurrency] })
export class SelectedTypesModule {}
