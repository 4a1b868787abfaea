import type { Logger } from '@nestjs/common';
import { Queue } from 'bullmq';
import type { QueueOptions } from './queue-options.ts';

/** BullMQ's own events, a stream for each queue. Nobody here listens; by default 10,000 would be kept, about 1 MB. */
const MOST_EVENTS = 100;

/**
 * A queue on the shared producer. Made while Redis is away, its first calls wait for Redis; later ones fail at once while
 * it is away. `onBroken` is called when its first contact fails: such a queue never works again.
 */
export function openQueue<Data, Result = unknown>(
  name: string,
  { producer, prefix }: QueueOptions,
  logger: Logger,
  onBroken: () => void,
): Queue<Data, Result> {
  const streams = { events: { maxLen: MOST_EVENTS } };
  const queue = new Queue<Data, Result>(name, { connection: producer, prefix, streams });
  queue.on('error', (error) => logger.warn({ msg: 'queue error', queue: name, error: error.message }));
  queue.waitUntilReady().catch(onBroken);
  return queue;
}
