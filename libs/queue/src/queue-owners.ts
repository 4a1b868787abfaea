import type { Redis } from 'ioredis';
import { repositoryKeyText } from '#domain';
import type { RepositoryKey } from '#domain';

/** Longer than the ledger remembers who hears of an object: after it nobody adds to the queue of a GitRepoConfig that is gone. */
const REMEMBER_DELETED_MS = 48 * 3_600_000;
/** Stands for the uid where the GitRepoConfig is gone. */
export const DELETED = 'deleted';
const DELETED_AT = `${DELETED}:`;

/**
 * Whose a queue is: queues are named after GitRepoConfigs, and one that is deleted and made anew under its name is another one,
 * perhaps for another repository. A Redis hash, `namespace/name` → uid of the GitRepoConfig, or since when it is deleted.
 */
export class QueueOwners {
  readonly hash: string;

  constructor(
    private readonly redis: Redis,
    prefix: string,
  ) {
    this.hash = `${prefix}:queue-owners`;
  }

  /** The uid; DELETED where there was one, and undefined where none is known. */
  async of(key: RepositoryKey): Promise<string | undefined> {
    return parseOwner(await this.redis.hget(this.hash, repositoryKeyText(key)));
  }

  async set(key: RepositoryKey, uid: string): Promise<void> {
    await this.redis.hset(this.hash, repositoryKeyText(key), uid);
  }

  /** Sets again what Redis has forgotten. Answers whether it is the owner. */
  async keep(key: RepositoryKey, uid: string): Promise<boolean> {
    await this.redis.hsetnx(this.hash, repositoryKeyText(key), uid);
    return (await this.of(key)) === uid;
  }

  async setDeleted(key: RepositoryKey, now: number): Promise<void> {
    await this.redis.hset(this.hash, repositoryKeyText(key), `${DELETED_AT}${now}`);
    const all = Object.entries(await this.redis.hgetall(this.hash));
    const forgotten = all.filter(([, owner]) => deletedAt(owner) < now - REMEMBER_DELETED_MS).map(([text]) => text);
    if (forgotten.length > 0) await this.redis.hdel(this.hash, ...forgotten);
  }

  /** `namespace/name` → uid, or DELETED. */
  async all(): Promise<Map<string, string>> {
    const all = Object.entries(await this.redis.hgetall(this.hash));
    return new Map(all.map(([text, owner]) => [text, parseOwner(owner) ?? DELETED]));
  }
}

/** What the hash holds of a queue. Pure. */
export function parseOwner(text: string | null): string | undefined {
  return text?.startsWith(DELETED_AT) === true ? DELETED : (text ?? undefined);
}

function deletedAt(owner: string): number {
  return owner.startsWith(DELETED_AT) ? Number(owner.slice(DELETED_AT.length)) : Infinity;
}
