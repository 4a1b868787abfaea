import { Module } from '@nestjs/common';
import { SelectedTypes } from './selected-types.service.ts';

@Module({ providers: [SelectedTypes], exports: [SelectedTypes] })
export class SelectedTypesModule {}
