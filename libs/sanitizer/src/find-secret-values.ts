/** Shorter values are no secrets that could be kept, and would be found in every other word. */
const MIN_LENGTH = 4;

/** Switches and ports: in a Secret by convenience, and all over annotations. */
const COMMONPLACE = /^(true|false|null|none|[0-9]{1,5})$/i;

/**
 * Which of the texts hold one of the values: as it is, as JSON escapes it, or as base64 in both alphabets and all three
 * alignments (a password inside an encoded `user:password`). A value that is `shown` anyway, by the Secret's own name or keys,
 * is no secret.
 */
export function findSecretValues(
  texts: readonly string[],
  values: readonly Buffer[],
  shown: readonly string[],
): ReadonlySet<string> {
  const everything = texts.join('\n');
  if (everything.length < MIN_LENGTH) return new Set();
  const names = shown.join('\n');
  const occurs = finderIn(everything);
  const found = values.flatMap((bytes) => spellingsOf(bytes, names, everything.length)).filter(occurs);
  return new Set(texts.filter((text) => found.some((spelling) => text.includes(spelling))));
}

function spellingsOf(bytes: Buffer, names: string, longest: number): string[] {
  const text = bytes.toString('utf8').trim();
  if (text.length > longest) return []; // every spelling is about as long or longer
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

/** Searches the text only for what has all its pieces there: thousands of values and a long text don't multiply. */
function finderIn(text: string): (spelling: string) => boolean {
  const pieces = new Set<string>();
  for (let at = 0; at + MIN_LENGTH <= text.length; at++) pieces.add(text.slice(at, at + MIN_LENGTH));
  return (spelling) => {
    for (let at = 0; at + MIN_LENGTH <= spelling.length; at++) {
      if (!pieces.has(spelling.slice(at, at + MIN_LENGTH))) return false;
    }
    return text.includes(spelling);
  };
}
