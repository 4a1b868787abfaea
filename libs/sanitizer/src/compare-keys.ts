const LETTER = /\p{L}/u;

/**
 * The order of map keys as kubectl prints them: runs of digits by their number, the end before punctuation before digits
 * before letters. A total order, so that the same keys in any order give the same text.
 */
export function compareKeys(left: string, right: string): number {
  const at = firstDifference(left, right);
  if (at >= left.length || at >= right.length) {
    const longer = left.length > right.length ? left : right;
    const inRun = isDigit(longer, at) && isDigit(longer, at - 1);
    return inRun ? compareRuns(left, right, at) : left.length - right.length;
  }
  const digits = [isDigit(left, at), isDigit(right, at)];
  if (digits.includes(true) && (isDigit(left, at - 1) || !digits.includes(false))) return compareRuns(left, right, at);
  return rankAt(left, at) - rankAt(right, at) || (left.codePointAt(at) ?? 0) - (right.codePointAt(at) ?? 0);
}

/** The index of the first character that differs; a surrogate pair is one character. */
function firstDifference(left: string, right: string): number {
  let at = 0;
  while (at < left.length && left.charCodeAt(at) === right.charCodeAt(at)) at++;
  return at > 0 && (left.codePointAt(at - 1) ?? 0) > 0xffff ? at - 1 : at;
}

/** Compares the runs of digits in which the difference lies; both begin at the same index, after the same text. */
function compareRuns(left: string, right: string, difference: number): number {
  let start = difference;
  while (isDigit(left, start - 1)) start--;
  const [a, b] = [runAt(left, start), runAt(right, start)];
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  if (x.length !== y.length) return x.length - y.length;
  if (x !== y) return x < y ? -1 : 1;
  return a.length - b.length; // 1 before 01
}

function runAt(text: string, start: number): string {
  let end = start;
  while (isDigit(text, end)) end++;
  return text.slice(start, end);
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

function rankAt(text: string, at: number): number {
  if (isDigit(text, at)) return 1;
  return LETTER.test(String.fromCodePoint(text.codePointAt(at) ?? 0)) ? 2 : 0;
}
