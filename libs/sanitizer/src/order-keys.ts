import { compareKeys } from './compare-keys.ts';
import type { JsonObject } from './json-value.ts';

const TOP_LEVEL = ['apiVersion', 'kind', 'metadata'];
const METADATA = ['name', 'namespace', 'labels', 'annotations'];

/** The object's entries in the file's order: what a reader looks for first stands first, the rest is sorted. */
export function orderedEntries(object: JsonObject, path: readonly string[]): [string, unknown][] {
  const first = path.length === 0 ? TOP_LEVEL : path.length === 1 && path[0] === 'metadata' ? METADATA : [];
  const rest = Object.keys(object)
    .filter((key) => object[key] !== undefined && !first.includes(key))
    .sort(compareKeys);
  return [...first.filter((key) => Object.hasOwn(object, key) && object[key] !== undefined), ...rest].map((key) => [
    key,
    object[key],
  ]);
}
