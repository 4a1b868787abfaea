import { MAX_DEPTH, SanitizerError } from './sanitizer.error.ts';

/** A JSON object. Keys are hostile: `__proto__` is a legal key of a ConfigMap, and assigning to it would set a prototype. */
export type JsonObject = Record<string, unknown>;

/** True for what JSON writes as `{...}`. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A deep copy of plain JSON; keys without a value (`undefined`) are left out, as JSON would.
 * Throws {@link SanitizerError} `too-deep`.
 */
export function copyJson(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new SanitizerError('too-deep');
  if (Array.isArray(value)) return value.map((item) => copyJson(item, depth + 1));
  if (!isJsonObject(value)) return value;
  return mapValues(value, (entry) => copyJson(entry, depth + 1));
}

/** A new object with every value replaced; where the new one is `undefined`, the entry is left out. */
export function mapValues(object: JsonObject, replace: (value: unknown, key: string) => unknown): JsonObject {
  const result: JsonObject = {};
  for (const key of Object.keys(object)) {
    const value = replace(object[key], key);
    if (value === undefined) continue;
    if (key === '__proto__')
      Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true });
    else result[key] = value;
  }
  return result;
}

/** The value of an own key; never something that the object inherited. */
export function ownValue(object: unknown, key: string): unknown {
  return isJsonObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** JSON text that does not depend on the order of keys: equal values give equal text. A BigInt is an integer that a double can't hold. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'bigint') return value.toString();
  if (!isJsonObject(value)) return JSON.stringify(value ?? null);
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}
