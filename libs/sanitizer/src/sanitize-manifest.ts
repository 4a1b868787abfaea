import type { KubeObject } from '#domain';
import { applyRules, compileRules } from './apply-rules.ts';
import { isSecret, redactSecret } from './redact-secret.ts';
import { REMOVAL_RULES } from './removal-rules.ts';

/** What goes into the file. */
export interface SanitizedManifest {
  object: KubeObject;
  /** Lines that stand above it as YAML comments. */
  comment: string[];
}

const RULES = compileRules(REMOVAL_RULES);

/**
 * The object as a person could have written it: without what servers and controllers write, see {@link REMOVAL_RULES}. Where both can write a
 * field, managedFields decide; where those are missing it stays. Pure, and idempotent for the object (a redacted Secret has other values, hence another digest). A Secret comes out redacted, with a
 * comment that carries the keyed digest of its values. Throws {@link SanitizerError} `too-deep`.
 */
export function sanitizeManifest(object: KubeObject, options: { digestKey: Uint8Array }): SanitizedManifest {
  const kept = applyRules(object, RULES);
  if (!isSecret(kept)) return { object: kept, comment: [] };
  const { object: redacted, digest } = redactSecret(kept, options.digestKey);
  return {
    object: redacted,
    comment: [
      'The values of this Secret are redacted. Their keyed digest changes when a value changes:',
      `hmac-sha256:${digest}`,
    ],
  };
}
