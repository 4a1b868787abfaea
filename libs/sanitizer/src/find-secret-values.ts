/** Spellings of a Secret's values, ready to look for. */
export interface SecretFinder {
  spellings: readonly string[];
}

/** Shorter values are no secrets that could be kept, and would be found in every other word. */
const MIN_LENGTH = 4;

/** Switches and ports: in a Secret by convenience, and all over annotations. */
const COMMONPLACE = /^(true|false|null|none|[0-9]{1,5})$/i;

/**
 * What to look for: each value as it is, as JSON escapes it, and as base64 in both alphabets and all three alignments (a password inside
 * an encoded `user:password`). A value that the Secret's own name or keys show anyway (`postgres`) is no secret.
 */
export function secretFinder(values: readonly Buffer[], shown: readonly string[]): SecretFinder {
  const spellings = values.flatMap((bytes) => {
    const text = bytes.toString('utf8').trim();
    if (text.length < MIN_LENGTH || COMMONPLACE.test(text) || shown.some((word) => word.includes(text))) return [];
    const base64 = [bytes, Buffer.from(text)].flatMap((form) => [0, 1, 2].map((offset) => alignedBase64(form, offset)));
    const encoded = base64.filter((spelling) => spelling.length >= MIN_LENGTH);
    return [text, JSON.stringify(text).slice(1, -1), ...encoded, ...encoded.map(urlSafe)];
  });
  return { spellings: [...new Set(spellings)] };
}

export function findsSecret(finder: SecretFinder, text: string): boolean {
  return finder.spellings.some((spelling) => text.includes(spelling));
}

/** The characters of base64 that only the value decides when `offset` other bytes (modulo 3) stand before it. */
function alignedBase64(bytes: Buffer, offset: number): string {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  const whole = padded.toString('base64').replace(/=+$/, '');
  const from = [0, 2, 3][offset] ?? 0;
  const to = padded.length % 3 === 0 ? whole.length : whole.length - 1;
  return whole.slice(from, to);
}

function urlSafe(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}
