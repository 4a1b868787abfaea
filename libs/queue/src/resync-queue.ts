import { Inject, Injectable } from '@nestjs/common';
import { QUEUE_OPTIONS } from './queue-options.ts';
import type { QueueOptions } from './queue-options.ts';
import { WakeQueue } from './wake-queue.ts';

/** A resync lists whole kinds: a second one at a time is enough. */
const CONCURRENCY = 2;

/** Comparisons of the cluster with a repository, by `namespace/name` of its GitRepoConfig. */
@Injectable()
export class ResyncQueue extends WakeQueue {
  constructor(@Inject(QUEUE_OPTIONS) options: QueueOptions) {
    super(options, 'resync', CONCURRENCY);
  }
}
