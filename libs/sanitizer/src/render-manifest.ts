import { isJsonObject } from './json-value.ts';
import { orderedEntries } from './order-keys.ts';
import type { Place } from './order-keys.ts';
import type { SanitizedManifest } from './sanitize-manifest.ts';
import { MAX_TEXT_LENGTH, SanitizerError } from './sanitizer.error.ts';
import { writeKey, writeScalar } from './write-scalar.ts';

/** Readers look no further for the colon that makes a key (YAML 1.2, 7.4.3); longer keys are written with a `?`. */
const MAX_SIMPLE_KEY = 1024;

/**
 * The file's text: comment, then YAML that readers of 1.1 and 1.2 read as exactly this object. Ends with a newline.
 * The same object gives the same bytes, whatever the order of its keys; the order of lists is kept, long lines are not
 * folded, nothing is aliased. Numbers are doubles, as they are for the API server, or BigInts where an integer needs more digits.
 * Throws {@link SanitizerError} `too-large`.
 *
 * It is written here and not with the `yaml` package because every admission call and every object of a snapshot pays for
 * it: less than a fifth of the time for a Deployment. The tests have `yaml` read it back in both versions.
 */
export function renderManifest({ object, comment }: SanitizedManifest): string {
  const out = new Output();
  for (const line of comment) out.push('# ', line, '\n');
  const entries = orderedEntries(object, 'object');
  if (entries.length > 0) writeEntries(out, entries, '', '');
  else out.push('{}\n');
  return out.text();
}

/** `lead` is what stands before the first entry: its indentation, or nothing after a dash. */
function writeEntries(out: Output, entries: readonly [string, unknown][], indent: string, lead: string): void {
  let before = lead;
  for (const [key, value] of entries) {
    const written = writeKey(key);
    if (written.length < MAX_SIMPLE_KEY) out.push(before, written, ':');
    else out.push(before, '? ', written, '\n', indent, ':');
    writeValue(out, value, indent, indent === '' && key === 'metadata' ? 'metadata' : 'other');
    before = indent;
  }
}

function writeItems(out: Output, items: readonly unknown[], indent: string, lead: string): void {
  let before = lead;
  for (const item of items) {
    out.push(before, '-');
    const inner = `${indent}  `;
    const entries = isJsonObject(item) ? orderedEntries(item, 'other') : [];
    if (entries.length > 0) writeEntries(out, entries, inner, ' ');
    else if (Array.isArray(item) && item.length > 0) writeItems(out, item, inner, ' ');
    else writeLeaf(out, item, indent);
    before = indent;
  }
}

/** What stands after a key's colon. Lists stand at the key's own indentation, as kubectl prints them. */
function writeValue(out: Output, value: unknown, indent: string, place: Place): void {
  const inner = `${indent}  `;
  const entries = isJsonObject(value) ? orderedEntries(value, place) : [];
  if (entries.length > 0) {
    out.push('\n');
    writeEntries(out, entries, inner, inner);
  } else if (Array.isArray(value) && value.length > 0) {
    out.push('\n');
    writeItems(out, value, indent, indent);
  } else writeLeaf(out, value, indent);
}

/** A scalar, or a collection without anything in it. */
function writeLeaf(out: Output, value: unknown, indent: string): void {
  const text = Array.isArray(value) ? '[]' : isJsonObject(value) ? '{}' : writeScalar(value ?? null, indent);
  out.push(' ', text, '\n');
}

class Output {
  private readonly parts: string[] = [];
  private length = 0;

  push(...parts: string[]): void {
    for (const part of parts) {
      this.length += part.length;
      this.parts.push(part);
    }
    if (this.length > MAX_TEXT_LENGTH) throw new SanitizerError('too-large');
  }

  text(): string {
    return this.parts.join('');
  }
}
