import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { RedisConnections } from './redis-connections.service.ts';

/** The confirmation of a removal that was acted on last, by uid of the GitRepoConfig: the same for every replica, and kept over restarts. */
@Injectable()
export class HandledRemovals {
  constructor(
    private readonly redis: RedisConnections,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async read(uid: string): Promise<string | undefined> {
    return (await this.redis.producer.hget(this.hash, uid)) ?? undefined;
  }

  async write(uid: string, value: string): Promise<void> {
    await this.redis.producer.hset(this.hash, uid, value);
  }

  /** The GitRepoConfig is gone. */
  async forget(uid: string): Promise<void> {
    await this.redis.producer.hdel(this.hash, uid);
  }

  private get hash(): string {
    return `${this.settings.queuePrefix}:handled-removals`;
  }
}
