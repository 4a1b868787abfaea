import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import { SETTINGS } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { RedisConnections } from '../redis/redis-connections.service.ts';
import { RepositoryController } from '../repositories/repository-controller.service.ts';
import { Resync } from './resync.service.ts';

const CHECK_MS = 1_000;

/** Asks for a resync of each repository once in an interval, whichever replica is first: a key in Redis runs out. */
@Injectable()
export class ResyncSchedule implements OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly redis: RedisConnections,
    private readonly repositories: RepositoryController,
    private readonly resync: Resync,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  start(): void {
    if (this.settings.resyncIntervalMs === 0) return;
    this.timer = setInterval(() => void this.check().catch(() => undefined), CHECK_MS); // Redis is away: the next one
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async check(): Promise<void> {
    for (const key of this.repositories.keys()) {
      const name = `${this.settings.queuePrefix}:resynced:${repositoryKeyText(key)}`;
      const due = await this.redis.producer.set(name, '1', 'PX', this.settings.resyncIntervalMs, 'NX');
      if (due === 'OK') this.resync.request(key, 'interval');
    }
  }
}
