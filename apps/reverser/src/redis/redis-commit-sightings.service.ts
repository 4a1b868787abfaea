import { Inject, Injectable } from '@nestjs/common';
import type { CommitSightings } from '#git';
import { SETTINGS } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { RedisConnections } from './redis-connections.service.ts';

/** Longer than any event may wait: after that a commit's first sighting no longer decides anything. */
const KEEP_MS = 90 * 24 * 3_600_000;

/** First sightings of commits in Redis: the same for every replica, and kept over restarts. */
@Injectable()
export class RedisCommitSightings implements CommitSightings {
  constructor(
    private readonly redis: RedisConnections,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async firstSeen(repository: string, sha: string, now: number): Promise<number> {
    const key = `${this.settings.queuePrefix}:seen:${repository}:${sha}`;
    const { producer } = this.redis;
    if ((await producer.set(key, now, 'PX', KEEP_MS, 'NX')) === 'OK') return now; // with GET in one takes Redis 7.0
    const known = await producer.get(key);
    return known === null ? now : Number(known);
  }
}
