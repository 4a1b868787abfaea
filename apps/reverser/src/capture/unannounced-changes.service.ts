import { Injectable, Logger } from '@nestjs/common';
import type { ObjectRef } from '#domain';
import { ReverserMetrics } from '../observability/reverser-metrics.service.ts';

/** Says of each change that no admission call told of: in the log, and in a metric. */
@Injectable()
export class UnannouncedChanges {
  private readonly logger = new Logger(UnannouncedChanges.name);

  constructor(private readonly metrics: ReverserMetrics) {}

  count({ resource, kind, namespace, name }: ObjectRef, version: string): void {
    this.metrics.unannounced(resource);
    this.logger.warn({ msg: 'a change was not announced by the webhook', kind, namespace, name, version });
  }
}
