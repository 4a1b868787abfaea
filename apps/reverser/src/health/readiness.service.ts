import { Injectable } from '@nestjs/common';

export const READINESS_STEPS = ['redis', 'informers', 'certificate', 'webhook'] as const;
export type ReadinessStep = (typeof READINESS_STEPS)[number];

/**
 * What has to be reached once before admission calls may come. Later trouble with Redis or Git does not take a step back:
 * a replica that is not ready would let calls go unrecorded. Only the end of the process does.
 */
@Injectable()
export class Readiness {
  private readonly reached = new Set<ReadinessStep>();
  private ending = false;

  reach(step: ReadinessStep): void {
    this.reached.add(step);
  }

  end(): void {
    this.ending = true;
  }

  /** What is missing; empty when ready. */
  missing(): string[] {
    if (this.ending) return ['the process is ending'];
    return READINESS_STEPS.filter((step) => !this.reached.has(step));
  }
}
