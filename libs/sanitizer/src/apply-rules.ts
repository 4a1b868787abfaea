import type { KubeObject } from '#domain';
import { parseApiVersion } from '#domain';
import type { Location, PathStep } from './field-path.ts';
import { parsePath } from './field-path.ts';
import { copyJson, isJsonObject } from './json-value.ts';
import { readOwners } from './read-owners.ts';
import type { Condition, Match } from './removal-conditions.ts';

/** One thing that servers write. */
export interface RemovalRule {
  /** `Service` (core group) or `Deployment.apps`; without it every kind, custom ones included. */
  kinds?: readonly string[];
  /** See {@link parsePath}. A path that ends in `[]` removes items. */
  remove: string;
  /** Asked for each value that the path meets; without it, it always goes. */
  when?: Condition;
}

export interface CompiledRule {
  kinds: ReadonlySet<string> | undefined;
  path: readonly PathStep[];
  when: Condition;
}

/** Parses the paths of a rule table once. */
export function compileRules(rules: readonly RemovalRule[]): CompiledRule[] {
  return rules.map((rule) => ({
    kinds: rule.kinds && new Set(rule.kinds),
    path: parsePath(rule.remove),
    when: rule.when ?? (() => true),
  }));
}

/**
 * A copy of the object without what the rules remove, in the table's order. A container below the top level that a removal
 * emptied goes with it; one that came empty stays.
 */
export function applyRules(object: KubeObject, rules: readonly CompiledRule[]): KubeObject {
  const result = copyJson(object) as KubeObject;
  const { group } = parseApiVersion(object.apiVersion);
  const kind = group === '' ? object.kind : `${object.kind}.${group}`;
  const owners = readOwners(object);
  for (const { kinds, path, when } of rules) {
    if (kinds && !kinds.has(kind)) continue;
    removeAt(result, path, [], (value, location) => when({ value, location, object, owners } satisfies Match));
  }
  return result;
}

type Decide = (value: unknown, location: Location) => boolean;

/** Removes below `container` what the rest of the path meets. Returns true if that emptied `container`. */
function removeAt(container: unknown, path: readonly PathStep[], at: Location, decide: Decide): boolean {
  const [step, ...rest] = path;
  if (step === undefined) return false;
  if ('items' in step) return Array.isArray(container) && removeItems(container, rest, at, decide);
  return isJsonObject(container) && removeKeys(container, step.key, rest, at, decide);
}

function removeKeys(
  container: Record<string, unknown>,
  pattern: RegExp | string,
  rest: readonly PathStep[],
  at: Location,
  decide: Decide,
): boolean {
  const keys =
    typeof pattern === 'string'
      ? [pattern].filter((key) => Object.hasOwn(container, key))
      : Object.keys(container).filter((key) => pattern.test(key));
  let removed = false;
  for (const key of keys) {
    const location = [...at, key];
    const gone =
      rest.length === 0
        ? decide(container[key], location)
        : removeAt(container[key], rest, location, decide) && at.length > 0;
    if (gone) removed = delete container[key];
  }
  return removed && Object.keys(container).length === 0;
}

function removeItems(list: unknown[], rest: readonly PathStep[], at: Location, decide: Decide): boolean {
  if (rest.length > 0) {
    for (const item of list) removeAt(item, rest, [...at, { item }], decide);
    return false; // an item that lost its last field is still an item
  }
  const kept = list.filter((item) => !decide(item, [...at, { item }]));
  const removed = kept.length < list.length;
  list.length = 0;
  for (const item of kept) list.push(item); // a spread would put a long list on the stack
  return removed && kept.length === 0;
}
