import type { KubeObject } from '#domain';
import { UNSEEN } from '#ledger';
import { SanitizerError } from '#sanitizer';
import type { SanitizerService } from '#sanitizer';
import type { BaseState } from './build-record.ts';

/** A stored object that no file can hold has a state that is never written; its file stays as it was. */
export function sanitizeStored(sanitizer: SanitizerService, object: KubeObject): BaseState {
  try {
    return sanitizer.sanitize(object);
  } catch (error) {
    if (error instanceof SanitizerError) return { digest: UNSEEN };
    throw error;
  }
}
