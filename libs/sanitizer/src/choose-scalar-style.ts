export type ScalarStyle = 'plain' | 'literal' | 'single' | 'quoted';

/** What YAML does not carry outside double quotes: control characters, its other line breaks, byte order marks, surrogates. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\p{Cs}]/u;

/** A line that ends in a space or a tab: editors and Git strip it, quotes protect it. */
const TRAILING_SPACE = /[ \t](\n|$)/;

/** Every spelling of null and the booleans in YAML 1.1 and 1.2, with merge and value keys. */
const RESERVED = /^(|~|null|true|false|y|n|yes|no|on|off|=|<<)$/i;

/** Numbers in any base, with underscores removed, and as clock values of base 60. Some readers take even `e7` for one. */
const NUMBER =
  /^[-+]?(0x[0-9a-f]*|0o[0-7]*|0b[01]*|([0-9]+(\.[0-9]*)?|\.[0-9]*)(e[-+]?[0-9]*)?|e[-+]?[0-9]+|\.inf|\.nan|[0-9]+(:[0-9]*)+(\.[0-9]*)?)$/i;

/** YAML 1.1 reads it as a time. */
const TIMESTAMP = /^[0-9]{4}-[0-9]/;

/** Indicators at the start, `: ` and ` #` inside, a colon at the end, space around it, tabs. */
const INDICATOR = /^[-?:](?=[\s]|$)|^(---|\.\.\.)|^[,[\]{}#&*!|>'"%@`\s]|:(?=[\s]|$)|\s#|\s$|\t/;

/**
 * How a string value is written so that readers of YAML 1.1 (Kubernetes) and 1.2 both get back exactly this string:
 * literal block for several lines, plain where nothing could be misread, single quotes around double ones, else double quotes.
 */
export function chooseScalarStyle(text: string): ScalarStyle {
  if (UNPRINTABLE.test(text)) return 'quoted';
  if (text.includes('\n')) return canBeLiteral(text) ? 'literal' : 'quoted';
  if (canBePlain(text)) return 'plain';
  return text.includes('"') && !/['\t]/.test(text) ? 'single' : 'quoted';
}

function canBeLiteral(text: string): boolean {
  return !TRAILING_SPACE.test(text) && !/^\n*\t/.test(text) && /[^\n]/.test(text);
}

function canBePlain(text: string): boolean {
  return (
    !RESERVED.test(text) && !NUMBER.test(text.replace(/[_,]/g, '')) && !TIMESTAMP.test(text) && !INDICATOR.test(text)
  );
}
