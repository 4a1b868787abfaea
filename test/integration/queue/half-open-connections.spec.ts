import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { QUEUE_OPTIONS, QueueModule, RepositoryQueues, SettleQueue } from '#queue';
import type { Settings } from '../../../apps/reverser/src/config/settings.ts';
import { RedisConnections } from '../../../apps/reverser/src/redis/redis-connections.service.ts';
import { changeOf } from '../../support/queue-module.ts';
import { startRedis, type Redis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

const KEY = { namespace: 'team', name: 'audit' };
/** Without a limit of one's own a connection to a host that vanished is given up after a quarter of an hour. */
const PRODUCER_HEALS = { timeoutMs: 8_000 };
const WORKERS_HEAL = { timeoutMs: 20_000 };

/** A way to Redis that can vanish without a word: nobody is told, and what is connected stays so. */
interface Way {
  port: number;
  /** Nothing goes through any more; new connections are taken, and get no answer either. */
  vanish(): void;
  /** New connections lead to Redis again, those from before never. */
  comeBack(): void;
  close(): void;
}

async function startWay(to: number): Promise<Way> {
  let there = true;
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    near.on('error', () => undefined);
    sockets.push(near);
    if (!there) return;
    const far = connect(to, '127.0.0.1');
    far.on('error', () => undefined);
    sockets.push(far);
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    vanish: () => {
      there = false;
      for (const socket of sockets) {
        socket.unpipe();
        socket.removeAllListeners('end');
        socket.pause();
      }
    },
    comeBack: () => (there = true),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('connections to a Redis whose host vanishes without closing them', () => {
  let redis: Redis;
  let way: Way;
  let connections: RedisConnections;
  let module: TestingModule;

  beforeEach(async () => {
    redis = await startRedis();
    way = await startWay(redis.port);
    Logger.overrideLogger(false);
    connections = new RedisConnections({ redisUrl: `redis://127.0.0.1:${way.port}` } as Settings);
    await connections.answered;
    const { producer, connectWorker } = connections;
    const useValue = { prefix: `test-${randomUUID()}`, producer, connectWorker };
    module = await Test.createTestingModule({
      imports: [QueueModule.register({ providers: [{ provide: QUEUE_OPTIONS, useValue }] })],
    }).compile();
    module.useLogger(false);
    await module.init();
  });
  afterEach(async () => {
    await module.close();
    connections.disconnect();
    way.close();
    await redis.remove();
  });

  it('are given up within seconds: changes are queued and written, and objects looked at, as soon as it is back', async () => {
    const queues = module.get(RepositoryQueues);
    const settle = module.get(SettleQueue);
    const written: string[] = [];
    const looked: string[] = [];
    queues.start(KEY, 'uid', (changes) => {
      written.push(...changes.map(({ eventId }) => eventId));
      return Promise.resolve({ verdicts: changes.map(({ eventId }) => ({ result: 'unchanged', eventId })) });
    });
    settle.start((id) => Promise.resolve(void looked.push(id)));
    await queues.enqueue(KEY, [changeOf('before')]);
    await settle.wake(['before']);
    await waitFor('both', () => written.length === 1 && looked.length === 1);

    way.vanish();
    await expect(settle.wake(['during'])).rejects.toThrow();
    const inVain = queues.enqueue(KEY, [changeOf('during')]);
    await expect(inVain).rejects.toThrow();
    way.comeBack();
    const until = async (what: string, work: () => Promise<unknown>): Promise<boolean> =>
      waitFor(
        what,
        () =>
          work().then(
            () => true,
            () => false,
          ),
        PRODUCER_HEALS,
      );
    await until('the changes to be taken', () => queues.enqueue(KEY, [changeOf('during'), changeOf('after')]));
    await until('the wake-up to be taken', () => settle.wake(['after']));
    await waitFor('the changes to be written', () => written.length === 3, WORKERS_HEAL);
    await waitFor('the look', () => looked.includes('after'), WORKERS_HEAL);
    expect(written).toEqual(['event-before', 'event-during', 'event-after']);
  }, 60_000);

  it('are not given up while a worker waits for work', async () => {
    module.get(RepositoryQueues).start(KEY, 'uid', () => Promise.resolve({ verdicts: [] }));
    await waitFor('a worker that waits', async () => (await blocked()) === 1);
    const ids = await connectionIds();
    const started = Date.now();
    await waitFor('longer than it waits at once', () => Date.now() - started > 7_000);
    expect(await connectionIds()).toEqual(ids);
  });

  /** Redis's own numbers of the connections that there are. */
  async function connectionIds(): Promise<string[]> {
    const list = String(await connections.producer.client('LIST'));
    return [...list.matchAll(/^id=(\d+)/gm)].map(([, id = '']) => id).sort();
  }

  async function blocked(): Promise<number> {
    return Number(/blocked_clients:(\d+)/.exec(await connections.producer.info('clients'))?.[1]);
  }
});
