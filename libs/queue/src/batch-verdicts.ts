import type { Redis } from 'ioredis';
import type { ChangeVerdict } from '#domain';

/** A verdict is taken within seconds; this is for a queue whose worker was away. After it, Git's history answers. */
const KEEP_SECONDS = 24 * 3_600;

/** Verdicts on jobs that were written in an earlier job's push, until BullMQ hands those jobs out. */
export class BatchVerdicts {
  constructor(
    private readonly redis: Redis,
    private readonly prefix: string,
  ) {}

  /** Stores the verdicts of a push, but for the job that is active: it returns its own. */
  async store(queue: string, verdicts: ChangeVerdict[], activeEventId: string): Promise<void> {
    const others = verdicts.filter((verdict) => verdict.eventId !== activeEventId);
    if (others.length === 0) return;
    const fields = others.flatMap((verdict) => [verdict.eventId, JSON.stringify(verdict)]);
    const key = this.key(queue);
    const results = await this.redis
      .multi()
      .hset(key, ...fields)
      .expire(key, KEEP_SECONDS)
      .exec();
    const failure = results?.find(([error]) => error !== null)?.[0];
    if (failure) throw failure;
  }

  /** The verdict on a job, once. */
  async take(queue: string, eventId: string): Promise<ChangeVerdict | undefined> {
    const key = this.key(queue);
    const text = await this.redis.hget(key, eventId);
    if (text === null) return undefined;
    await this.redis.hdel(key, eventId);
    return JSON.parse(text) as ChangeVerdict;
  }

  private key(queue: string): string {
    return `${this.prefix}:verdicts:${queue}`;
  }
}
