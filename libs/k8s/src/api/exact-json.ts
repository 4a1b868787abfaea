/**
 * Looks for what may be an integer that a double can't hold: sixteen digits or more where JSON has a value. A pattern
 * that begins with punctuation costs a tenth of the parsing, also of large texts; digits inside of strings seldom match.
 */
const LONG_NUMBER = /[:[,]\s*-?\d{16}/;

const INTEGER = /^-?\d+$/;

/** ECMAScript's "JSON.parse source text access", which TypeScript's library does not know yet. */
const json = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/**
 * JSON.parse of an object or a list that keeps every digit of an integer: one outside of the safe range (an int64, 2^53 or more) becomes a BigInt, as
 * 1234567890123456789 would else be 1234567890123456800. All other numbers are doubles for the API server, too.
 * Only texts with such an integer pay for it.
 */
export function parseExactJson(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  try {
    return json.parse(text, (_key, value, { source = '' }) =>
      typeof value === 'number' && !Number.isSafeInteger(value) && INTEGER.test(source) ? BigInt(source) : value,
    );
  } catch (error) {
    // A reviver is called recursively, and thousands of levels are more than the stack holds; nobody renders those anyway.
    if (error instanceof RangeError) return JSON.parse(text);
    throw error;
  }
}

/** JSON.stringify for what {@link parseExactJson} returned. */
export function writeExactJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === 'bigint' ? json.rawJSON(entry.toString()) : entry,
  );
}
