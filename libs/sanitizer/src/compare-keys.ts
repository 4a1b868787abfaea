const LETTER = /\p{L}/u;
const DIGITS = /^[0-9]+$/;
const TOKEN = /[0-9]+|[^0-9]/gu;

/**
 * The order of map keys as kubectl prints them: runs of digits by their number, punctuation before digits before letters.
 * A total order, so that the same keys in any order give the same text.
 */
export function compareKeys(left: string, right: string): number {
  const lefts = left.match(TOKEN) ?? [];
  const rights = right.match(TOKEN) ?? [];
  for (let i = 0; i < lefts.length && i < rights.length; i++) {
    const order = compareTokens(lefts[i] ?? '', rights[i] ?? '');
    if (order !== 0) return order;
  }
  return lefts.length - rights.length;
}

function compareTokens(left: string, right: string): number {
  if (left === right) return 0;
  const rank = rankOf(left) - rankOf(right);
  if (rank !== 0) return rank;
  if (!DIGITS.test(left)) return (left.codePointAt(0) ?? 0) - (right.codePointAt(0) ?? 0);
  const [a, b] = [left.replace(/^0+/, ''), right.replace(/^0+/, '')];
  if (a.length !== b.length) return a.length - b.length;
  if (a !== b) return a < b ? -1 : 1;
  return left.length - right.length; // 1 before 01
}

function rankOf(token: string): number {
  if (DIGITS.test(token)) return 1;
  return LETTER.test(token) ? 2 : 0;
}
