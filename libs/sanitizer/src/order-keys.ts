import { compareKeys } from './compare-keys.ts';
import type { JsonObject } from './json-value.ts';

/** Where a map stands: two places have an order of their own. */
export type Place = 'object' | 'metadata' | 'other';

const FIRST: Record<Place, readonly string[]> = {
  object: ['apiVersion', 'kind', 'metadata'],
  metadata: ['name', 'namespace', 'labels', 'annotations'],
  other: [],
};

/** The map's entries in the file's order: what a reader looks for first stands first, the rest is sorted. */
export function orderedEntries(map: JsonObject, place: Place): [string, unknown][] {
  const first = FIRST[place].filter((key) => Object.hasOwn(map, key));
  const rest = Object.keys(map).filter((key) => !first.includes(key));
  return [...first, ...rest.sort(compareKeys)]
    .filter((key) => map[key] !== undefined)
    .map((key): [string, unknown] => [key, map[key]]);
}
