import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Node } from 'yaml';
import { chooseKeyStyle, chooseScalarStyle } from './choose-scalar-style.ts';
import type { ScalarStyle } from './choose-scalar-style.ts';
import { isJsonObject } from './json-value.ts';
import { orderedEntries } from './order-keys.ts';
import type { SanitizedManifest } from './sanitize-manifest.ts';

const STYLES = {
  plain: Scalar.PLAIN,
  literal: Scalar.BLOCK_LITERAL,
  single: Scalar.QUOTE_SINGLE,
  quoted: Scalar.QUOTE_DOUBLE,
} as const satisfies Record<ScalarStyle, Scalar.Type>;

/** Inside quotes these survive only as escapes: YAML 1.1 folds some as line breaks and forbids the others. */
const NEEDS_ESCAPE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * The file's text: comment, then YAML that readers of 1.1 and 1.2 read as exactly this object. Ends with one newline.
 * The same object gives the same bytes, whatever the order of its keys; the order of lists is kept, long lines are not
 * folded, nothing is aliased. Numbers are JavaScript numbers: digits beyond a double's precision were lost when the JSON was parsed.
 */
export function renderManifest({ object, comment }: SanitizedManifest): string {
  const document = new Document();
  document.contents = nodeOf(object, []) as never;
  const yaml = document.toString({ lineWidth: 0, indentSeq: false, doubleQuotedAsJSON: true, blockQuote: 'literal' });
  return [...comment.map((line) => `# ${line}\n`), yaml.replace(NEEDS_ESCAPE, escapeOf)].join('');
}

function nodeOf(value: unknown, path: readonly string[]): Node {
  if (Array.isArray(value)) {
    const list = new YAMLSeq();
    list.items = value.map((item) => nodeOf(item ?? null, [...path, '']));
    return list;
  }
  if (isJsonObject(value)) {
    const map = new YAMLMap();
    map.items = orderedEntries(value, path).map(
      ([key, entry]) => new Pair(textNode(key, chooseKeyStyle(key)), nodeOf(entry, [...path, key])),
    );
    return map;
  }
  return typeof value === 'string' ? textNode(value, chooseScalarStyle(value)) : new Scalar(value);
}

function textNode(text: string, style: ScalarStyle): Scalar {
  const node = new Scalar(text);
  node.type = STYLES[style];
  return node;
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
