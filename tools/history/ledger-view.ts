import { Redis } from 'ioredis';
import type { Attempt, ObjectRef } from '#domain';
import { objectKey } from '#ledger';

export interface OpenName {
  id: string;
  fields: Record<string, string>;
  attempts: Attempt[];
}

/** Reads the ledger as Redis holds it: for waiting, and for telling what it knew of an object. */
export class LedgerView {
  private readonly redis: Redis;
  private readonly prefix: string;

  constructor(url: string, prefix: string) {
    this.redis = new Redis(url, { maxRetriesPerRequest: 3 });
    this.redis.on('error', () => undefined); // each command says it itself
    this.prefix = prefix;
  }

  /** Names that wait for a verdict. */
  async due(): Promise<OpenName[]> {
    const ids = await this.redis.zrange(`${this.prefix}:ledger-due`, '0', '-1');
    return Promise.all(ids.map(async (id) => ({ id, ...(await this.read(id)) })));
  }

  /** All that is known of an object name. It holds no Secret values: what is recorded is sanitized. */
  async dump(ref: Pick<ObjectRef, 'group' | 'kind' | 'namespace' | 'name'>): Promise<Record<string, string>> {
    const { fields } = await this.read(objectKey(ref));
    return Object.fromEntries(Object.entries(fields).filter(([field]) => !/^[ct]:/.test(field)));
  }

  close(): void {
    this.redis.disconnect();
  }

  private async read(id: string): Promise<{ fields: Record<string, string>; attempts: Attempt[] }> {
    const fields = await this.redis.hgetall(`${this.prefix}:ledger:${id}`);
    const attempts = Object.entries(fields).flatMap(([field, value]) =>
      field.startsWith('a:') ? [JSON.parse(value) as Attempt] : [],
    );
    return { fields, attempts };
  }
}
