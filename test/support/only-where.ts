import { describe, expect, it } from '@jest/globals';

/**
 * Tests for machines that have what they need: elsewhere they are reported as skipped, never as passed, and the reason is
 * printed. `missing` says what this machine lacks.
 */
export function onlyWhere(missing: string | undefined): { it: typeof it.skip; describe: typeof describe.skip } {
  if (missing === undefined) return { it, describe };
  process.stderr.write(`Some tests of ${expect.getState().testPath ?? 'a file'} are skipped: ${missing}\n`);
  return { it: it.skip, describe: describe.skip };
}
