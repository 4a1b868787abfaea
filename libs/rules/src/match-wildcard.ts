/** Tells whether a text is meant by a pattern. */
export type TextMatcher = (text: string) => boolean;

/**
 * Compiles a pattern in which every `*` stands for any text, the empty one included, and everything else for itself.
 * No regular expression and no backtracking: each literal part is searched once, leftmost first, so that neither a
 * hostile pattern nor a hostile text makes matching slow.
 */
export function compileWildcard(pattern: string): TextMatcher {
  const parts = pattern.split('*');
  const prefix = parts[0] ?? '';
  if (parts.length === 1) return (text) => text === pattern;
  const suffix = parts.at(-1) ?? '';
  const middle = parts.slice(1, -1).filter((part) => part !== '');
  return (text) => {
    if (text.length < prefix.length + suffix.length || !text.startsWith(prefix) || !text.endsWith(suffix)) return false;
    const end = text.length - suffix.length;
    let position = prefix.length;
    for (const part of middle) {
      const found = text.indexOf(part, position);
      if (found < 0 || found + part.length > end) return false;
      position = found + part.length;
    }
    return true;
  };
}

/** Matches what any of the patterns matches; nothing where there are none. */
export function compileWildcards(patterns: readonly string[]): TextMatcher {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const matchers = patterns.filter((pattern) => pattern.includes('*')).map(compileWildcard);
  return (text) => exact.has(text) || matchers.some((matches) => matches(text));
}
