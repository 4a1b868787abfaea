/** Shorter values are no secrets that could be kept, and would be found in every other word. */
const MIN_LENGTH = 4;

/** Switches and ports: in a Secret by convenience, and all over annotations. */
const COMMONPLACE = /^(true|false|null|none|[0-9]{1,5})$/i;

/**
 * Tells whether a text holds one of the values: as it is, as JSON escapes it, or as base64 in both alphabets and all three
 * alignments (a password inside an encoded `user:password`). A value that is `shown` anyway, by the Secret's own name or keys,
 * is no secret. The spellings are worked out at the first question.
 */
export function secretFinder(values: readonly Buffer[], shown: readonly string[]): (text: string) => boolean {
  let spellings: readonly string[] | undefined;
  const names = shown.join('\n');
  return (text) => {
    if (text.length < MIN_LENGTH) return false;
    spellings ??= [...new Set(values.flatMap((bytes) => spellingsOf(bytes, names)))];
    return holdsOneOf(text, spellings);
  };
}

function spellingsOf(bytes: Buffer, names: string): string[] {
  const text = bytes.toString('utf8').trim();
  if (text.length < MIN_LENGTH || COMMONPLACE.test(text) || names.includes(text)) return [];
  const base64 = [bytes, Buffer.from(text)].flatMap((form) => [0, 1, 2].map((offset) => alignedBase64(form, offset)));
  const encoded = base64.filter((spelling) => spelling.length >= MIN_LENGTH);
  const urlSafe = encoded.map((spelling) => spelling.replaceAll('+', '-').replaceAll('/', '_'));
  return [text, JSON.stringify(text).slice(1, -1), ...encoded, ...urlSafe];
}

/** The characters of base64 that only the value decides when `offset` other bytes (modulo 3) stand before it. */
function alignedBase64(bytes: Buffer, offset: number): string {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  const whole = padded.toString('base64').replace(/=+$/, '');
  const from = [0, 2, 3][offset] ?? 0;
  const to = padded.length % 3 === 0 ? whole.length : whole.length - 1;
  return whole.slice(from, to);
}

/** Looks only for spellings whose pieces all occur, so that thousands of values and long texts don't multiply. */
function holdsOneOf(text: string, spellings: readonly string[]): boolean {
  const pieces = new Set<string>();
  for (let at = 0; at + MIN_LENGTH <= text.length; at++) pieces.add(text.slice(at, at + MIN_LENGTH));
  return spellings.some((spelling) => {
    for (let at = 0; at + MIN_LENGTH <= spelling.length; at++) {
      if (!pieces.has(spelling.slice(at, at + MIN_LENGTH))) return false;
    }
    return text.includes(spelling);
  });
}
