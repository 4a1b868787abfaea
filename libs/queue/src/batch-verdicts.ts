import type { Redis } from 'ioredis';
import type { ChangeVerdict } from '#domain';

/** A verdict is taken within seconds; this is for a queue whose worker was away. After it, Git's history answers. */
const KEEP_SECONDS = 24 * 3_600;
/**
 * More than one batch has. Verdicts that nobody takes are left behind where a job was removed by hand, or where a writer was slow
 * and another one had its jobs meanwhile; beyond this number they go before new ones come.
 */
const MOST_LEFT = 2_000;

/**
 * Verdicts on jobs that were written in an earlier job's push, until BullMQ hands those jobs out. By job and not by event:
 * each comparison that finds a state again has a job of its own for the same event, and it may have to be written again.
 */
export class BatchVerdicts {
  constructor(
    private readonly redis: Redis,
    private readonly prefix: string,
  ) {}

  /** Stores verdicts by the ids of their jobs. */
  async store(queue: string, verdicts: Map<string, ChangeVerdict>): Promise<void> {
    if (verdicts.size === 0) return;
    const fields = [...verdicts].flatMap(([jobId, verdict]) => [jobId, JSON.stringify(verdict)]);
    const key = this.key(queue);
    if ((await this.redis.hlen(key)) >= MOST_LEFT) await this.redis.del(key);
    const results = await this.redis
      .multi()
      .hset(key, ...fields)
      .expire(key, KEEP_SECONDS)
      .exec();
    const failure = results?.find(([error]) => error !== null)?.[0];
    if (failure) throw failure;
  }

  /** The verdict on a job, once. */
  async take(queue: string, jobId: string): Promise<ChangeVerdict | undefined> {
    const key = this.key(queue);
    const text = await this.redis.hget(key, jobId);
    if (text === null) return undefined;
    await this.redis.hdel(key, jobId);
    return JSON.parse(text) as ChangeVerdict;
  }

  /** Forgets all of a queue that is gone. */
  async forget(queue: string): Promise<void> {
    await this.redis.del(this.key(queue));
  }

  private key(queue: string): string {
    return `${this.prefix}:verdicts:${queue}`;
  }
}
