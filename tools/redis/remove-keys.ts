import { Redis } from 'ioredis';

/** Removes what an installation keeps in a Redis that others use, too: every key below its QUEUE_PREFIX. */
export async function removeKeys(url: string, queuePrefix: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 2, retryStrategy: (times) => (times > 2 ? null : 200) });
  redis.on('error', () => undefined); // the command's own error tells it
  try {
    for await (const keys of redis.scanStream({ match: `${queuePrefix}:*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
    }
  } finally {
    redis.disconnect();
  }
}
