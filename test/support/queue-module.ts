import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { QUEUE_OPTIONS, QueueModule, RepositoryLock, RepositoryQueues, SettleQueue } from '#queue';
import type { Change } from '#domain';

/** The queues of one replica, as the operator connects them to Redis. */
export interface QueueReplica {
  queues: RepositoryQueues;
  settle: SettleQueue;
  lock: RepositoryLock;
  producer: Redis;
  /** Ends it as the process would. */
  end(): Promise<void>;
  /** Cuts all its connections for good, as a dead process does: nothing is handed back. */
  die(): void;
}

export async function startQueueReplica(url: string, prefix: string): Promise<QueueReplica> {
  const connections: Redis[] = [];
  const connect = (options: { enableOfflineQueue?: boolean; maxRetriesPerRequest: number | null }): Redis => {
    const redis = new Redis(url, { ...options, retryStrategy: () => 100 });
    redis.on('error', () => undefined);
    connections.push(redis);
    return redis;
  };
  const producer = connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0 });
  await new Promise((resolve) => producer.once('ready', resolve));
  const connectWorker = (): Redis => connect({ maxRetriesPerRequest: null });
  const module: TestingModule = await Test.createTestingModule({
    imports: [
      QueueModule.register({ providers: [{ provide: QUEUE_OPTIONS, useValue: { prefix, producer, connectWorker } }] }),
    ],
  }).compile();
  module.useLogger(false);
  await module.init();
  const die = (): void => {
    for (const redis of connections) redis.disconnect();
  };
  return {
    queues: module.get(RepositoryQueues),
    settle: module.get(SettleQueue),
    lock: module.get(RepositoryLock),
    producer,
    end: async () => {
      await module.close();
      producer.disconnect();
    },
    die,
  };
}

/** A change of the ConfigMap of that name. */
export function changeOf(name: string, fields: Partial<Change> = {}): Change {
  return {
    eventId: `event-${name}`,
    origin: 'admitted',
    operation: 'UPDATE',
    object: { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespace: 'ns', name, uid: name },
    user: 'alice',
    alsoRequestedBy: [],
    admittedAt: 1_700_000_000_000,
    resourceVersion: '1',
    content: `name: ${name}\n`,
    managers: [],
    ...fields,
  };
}
