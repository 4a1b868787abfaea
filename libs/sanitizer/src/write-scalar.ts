import { chooseScalarStyle } from './choose-scalar-style.ts';

/** Inside quotes these survive only as escapes: YAML 1.1 folds some as line breaks and forbids the others. */
const NEEDS_ESCAPE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A key: always on one line. */
export function writeKey(key: string): string {
  const style = chooseScalarStyle(key);
  if (style === 'plain') return key;
  return style === 'single' ? `'${key}'` : quote(key);
}

/** A value, without the line break at its end. `indent` is that of the key or the dash before it. */
export function writeScalar(value: unknown, indent: string): string {
  if (typeof value !== 'string') return Object.is(value, -0) ? '-0' : String(value);
  switch (chooseScalarStyle(value)) {
    case 'plain':
      return value;
    case 'single':
      return `'${value}'`;
    case 'quoted':
      return quote(value);
    case 'literal':
      return writeLiteral(value, `${indent}  `);
  }
}

function quote(text: string): string {
  return JSON.stringify(text).replace(NEEDS_ESCAPE, escapeOf);
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The header says how many spaces of the first line are indentation, where the text itself starts with one, and what becomes of the end. */
function writeLiteral(text: string, indent: string): string {
  const indicator = /^\n* /.test(text) ? '2' : '';
  const chomping = !text.endsWith('\n') ? '-' : text.endsWith('\n\n') ? '+' : '';
  const body = `\n${text}`.replace(/\n(?=[^\n])/g, `\n${indent}`);
  return `|${indicator}${chomping}${text.endsWith('\n') ? body.slice(0, -1) : body}`;
}
