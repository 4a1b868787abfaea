import { Module } from '@nestjs/common';
import { DigestKey } from './digest-key.service.ts';

@Module({ providers: [DigestKey], exports: [DigestKey] })
export class DigestKeyModule {}
