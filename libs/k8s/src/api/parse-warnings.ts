/** The texts of `Warning` headers (RFC 7234, 5.5): `299 - "text"`, several of them in one value or in many. */
export function parseWarnings(values: readonly string[]): string[] {
  return values.flatMap((value) =>
    Array.from(value.matchAll(WARNING), (match) => (match[1] ?? '').replaceAll(/\\(.)/g, '$1')),
  );
}

const WARNING = /\d{3} \S+ "((?:[^"\\]|\\.)*)"/g;
