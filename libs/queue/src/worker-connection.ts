import type { Redis } from 'ioredis';

/** A worker's connection with the copies that BullMQ makes of it for waiting. */
export interface WorkerConnection {
  redis: Redis;
  /** Cuts all of them for good, also those that are trying to reach a Redis that is away. */
  disconnect(): void;
}

/** Takes note of copies: a worker that could not be closed properly leaves them behind, and they would try for ever. */
export function noteCopies(redis: Redis): WorkerConnection {
  const all = [redis];
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (...options) => {
    const copy = duplicate(...options);
    all.push(copy);
    return copy;
  };
  return {
    redis,
    disconnect: () => {
      for (const each of all) each.disconnect();
    },
  };
}
