// C0 and C1 controls, line and paragraph separators, and the marks that reorder text: none may reach a message or a header.
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** One line of plain text: what could end the line or hide text becomes U+FFFD, lone surrogates too. */
export function toSingleLine(text: string): string {
  return text.toWellFormed().replace(UNSAFE, '\ufffd').trim();
}

/** The text for an error: at most `limit` characters, control characters gone, lines kept. */
export function toErrorText(text: string, limit = 600): string {
  const lines = text
    .split(/\r\n|\r|\n/)
    .map((line) => toSingleLine(line))
    .filter((line) => line !== '');
  const joined = lines.join('; ');
  return joined.length <= limit ? joined : `${joined.slice(0, limit)}…`;
}
