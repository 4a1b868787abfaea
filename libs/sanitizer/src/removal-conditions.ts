import type { KubeObject } from '#domain';
import type { Location } from './field-path.ts';
import { isJsonObject, ownValue } from './json-value.ts';
import type { FieldOwners } from './read-owners.ts';

/** What a rule's path met, and all that a condition may look at. */
export interface Match {
  value: unknown;
  location: Location;
  /** As it came: no rule has changed it yet. */
  object: KubeObject;
  owners: FieldOwners;
}

export type Condition = (match: Match) => boolean;

/** managedFields exist and no person claims it: a default, an allocation or a controller's write. */
export const unclaimed: Condition = ({ owners, location }) => owners.known && !owners.byPerson(location);

/** Only the control plane claims it; what nobody claims stays. */
export const controlled: Condition = (match) => unclaimed(match) && match.owners.byControlPlane(match.location);

/** An autoscaler owns it through the `scale` subresource, and no person has written it since. */
export const scaled: Condition = (match) => unclaimed(match) && match.owners.byScaler(match.location);

export const isNull: Condition = ({ value }) => value === null;

/** An object or a list in which nothing is left. */
export const isEmpty: Condition = ({ value }) =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

export const is =
  (...values: unknown[]): Condition =>
  ({ value }) =>
    values.includes(value);

/** The text matches. */
export const like =
  (pattern: RegExp): Condition =>
  ({ value }) =>
    typeof value === 'string' && pattern.test(value);

/** The object or item has these values under these keys, and where `only` is set no other keys. */
export const has =
  (expected: Record<string, unknown>, only = false): Condition =>
  ({ value }) =>
    isJsonObject(value) &&
    Object.entries(expected).every(([key, wanted]) =>
      wanted instanceof RegExp ? wanted.test(String(ownValue(value, key))) : ownValue(value, key) === wanted,
    ) &&
    (!only || Object.keys(value).length === Object.keys(expected).length);

/** The whole object, as it came, has something at this path of keys; with `value`, exactly that. */
export const objectHas =
  (path: readonly string[], value?: unknown): Condition =>
  ({ object }) => {
    const found = path.reduce<unknown>(ownValue, object);
    return value === undefined ? found !== undefined : found === value;
  };

export const not =
  (condition: Condition): Condition =>
  (match) =>
    !condition(match);

export const all =
  (...conditions: Condition[]): Condition =>
  (match) =>
    conditions.every((condition) => condition(match));

export const any =
  (...conditions: Condition[]): Condition =>
  (match) =>
    conditions.some((condition) => condition(match));

/** The kind's group is Kubernetes' own: without a dot, or under k8s.io. */
export const builtIn: Condition = ({ object }) => {
  const slash = object.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : object.apiVersion.slice(0, slash);
  return !group.includes('.') || group === 'k8s.io' || group.endsWith('.k8s.io');
};
