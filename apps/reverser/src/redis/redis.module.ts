import { Global, Module } from '@nestjs/common';
import { HandledRemovals } from './handled-removals.service.ts';
import { RedisConnections } from './redis-connections.service.ts';

@Global()
@Module({ providers: [RedisConnections, HandledRemovals], exports: [RedisConnections, HandledRemovals] })
export class RedisModule {}
