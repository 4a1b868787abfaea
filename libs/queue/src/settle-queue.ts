import { Inject, Injectable } from '@nestjs/common';
import { QUEUE_OPTIONS } from './queue-options.ts';
import type { QueueOptions } from './queue-options.ts';
import { WakeQueue } from './wake-queue.ts';

/** Most of the time of a look is waiting for the API server. */
const CONCURRENCY = 32;

/** Looks at object names. What a failed look leaves undecided is due again by the ledger. */
@Injectable()
export class SettleQueue extends WakeQueue {
  constructor(@Inject(QUEUE_OPTIONS) options: QueueOptions) {
    super(options, 'settle', CONCURRENCY);
  }
}
