import type { KubeObject, ObjectMeta } from '#domain';
import { hmacOf } from './digest-state.ts';
import { canonicalJson, isJsonObject, mapValues } from './json-value.ts';
import type { JsonObject } from './json-value.ts';
import { findSecretValues } from './find-secret-values.ts';

/** What stands where a value was. */
const REDACTED = 'REDACTED';

/** The API server takes Docker credentials only as a JSON object, so their marker is one. */
const REDACTED_JSON = JSON.stringify({ [REDACTED]: true });
const JSON_KEYS: ReadonlyMap<unknown, string> = new Map([
  ['kubernetes.io/dockerconfigjson', '.dockerconfigjson'],
  ['kubernetes.io/dockercfg', '.dockercfg'],
]);

export interface RedactedSecret {
  object: KubeObject;
  /** HMAC-SHA-256 hex over namespace, name and the plain key and value pairs. */
  digest: string;
}

export function isSecret(object: KubeObject): boolean {
  return object.kind === 'Secret' && object.apiVersion === 'v1';
}

/**
 * A Secret without its values; keys stay. The digest changes when a value, a key or the name does. Namespace and name are in
 * it, and all pairs at once: equal values of two Secrets or two keys don't show. Annotations and labels that hold a value are
 * redacted too, in the spellings that {@link findSecretValues} knows.
 */
export function redactSecret(object: KubeObject, key: Uint8Array): RedactedSecret {
  const plain = plainValues(object);
  const { namespace = '', name = '' } = object.metadata;
  const exposed = findSecretValues(textsOf(object.metadata), [...plain.values()], [namespace, name, ...plain.keys()]);
  const redacted = mapValues(object, (value, field) => {
    if (field === 'metadata') return redactMetadata(object.metadata, exposed);
    if (field !== 'data' && field !== 'stringData') return value;
    if (!isJsonObject(value)) return undefined; // no shape that a Secret has: whatever it is, it goes
    return mapValues(value, (_, entry) => markerOf(object, field, entry));
  }) as KubeObject;
  const pairs = [...plain].map(([entry, bytes]) => [entry, bytes.toString('base64')]).sort(byKey);
  return { object: redacted, digest: hmacOf(key, `secret-values\0${canonicalJson([namespace, name, pairs])}`) };
}

/** `data` holds base64, so its markers do too: the file can be applied, and they decode to the word. */
function markerOf(secret: KubeObject, field: 'data' | 'stringData', key: string): string {
  const marker = JSON_KEYS.get(secret['type']) === key ? REDACTED_JSON : REDACTED;
  return field === 'data' ? Buffer.from(marker).toString('base64') : marker;
}

/** Every key with its bytes; as in the API server, stringData wins over data. */
function plainValues(object: KubeObject): Map<string, Buffer> {
  const { data, stringData } = object as { data?: unknown; stringData?: unknown };
  return new Map([
    ...Object.entries(isJsonObject(data) ? data : {}).map(([key, value]) => [key, decode(textOf(value))] as const),
    ...Object.entries(isJsonObject(stringData) ? stringData : {}).map(
      ([key, value]) => [key, Buffer.from(textOf(value))] as const,
    ),
  ]);
}

/** Every key and value of the maps that people and tools write freely. */
function textsOf({ annotations, labels }: ObjectMeta): string[] {
  return [annotations, labels].flatMap((map) => (isJsonObject(map) ? Object.entries(map).flat() : [])).map(textOf);
}

function redactMetadata(metadata: ObjectMeta, exposed: ReadonlySet<string>): JsonObject {
  const redact = (value: unknown, key: string): unknown => {
    if (exposed.has(key)) return undefined;
    return exposed.has(textOf(value)) ? REDACTED : value;
  };
  return mapValues(metadata, (value, field) =>
    (field === 'annotations' || field === 'labels') && isJsonObject(value) ? mapValues(value, redact) : value,
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : canonicalJson(value ?? '');
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}

function byKey([left]: string[], [right]: string[]): number {
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
