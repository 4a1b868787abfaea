import { Injectable } from '@nestjs/common';

/** What has to be reached once, and what keeps a replica from it: the log has the details. */
const STEPS = {
  redis: 'Redis has not answered yet: check REDIS_URL and that the server runs',
  keys: 'the digest key is not there yet: check that the API server can be reached, that the namespace POD_NAMESPACE exists, and the right to read and create Secrets in it',
  certificate:
    'the admission server has no certificate yet: it comes after redis and keys; check the right to write Secrets',
  informers:
    'not all GitRepoConfigs, WatchRules and namespaces are read yet: check that the CustomResourceDefinitions are installed, and the right to list and watch them',
  webhook: 'the webhook is not registered yet: check the right to write ValidatingWebhookConfigurations',
} as const;
export type ReadinessStep = keyof typeof STEPS;

/**
 * What has to be reached once before admission calls may come. Later trouble with Redis or Git does not take a step back:
 * a replica that is not ready would let calls go unrecorded. Only the end of the process does.
 */
@Injectable()
export class Readiness {
  private readonly waiting = new Map<string, string>(Object.entries(STEPS));
  private ending = false;

  reach(step: ReadinessStep): void {
    this.waiting.delete(step);
  }

  end(): void {
    this.ending = true;
  }

  /** What is missing, each with what to do about it; empty when ready. */
  missing(): Record<string, string> {
    return this.ending ? { ending: 'the process was told to end' } : Object.fromEntries(this.waiting);
  }
}
