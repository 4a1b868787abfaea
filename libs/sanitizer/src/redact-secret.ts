import type { KubeObject } from '#domain';
import { hmacOf } from './digest-state.ts';
import { canonicalJson, isJsonObject, mapEntries } from './json-value.ts';
import { secretFinder } from './find-secret-values.ts';

/** What stands where a value was. */
export const REDACTED = 'REDACTED';

/** `data` holds base64, so the marker does too: the file can be applied, and decodes to the word. */
const REDACTED_DATA = Buffer.from(REDACTED).toString('base64');

/** The API server takes Docker credentials only as a JSON object, so their marker is one. */
const REDACTED_JSON = Buffer.from(JSON.stringify({ [REDACTED]: true })).toString('base64');
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
 * redacted too, in the spellings that {@link secretFinder} knows.
 */
export function redactSecret(object: KubeObject, key: Uint8Array): RedactedSecret {
  const plain = plainValues(object);
  const { namespace = '', name = '' } = object.metadata;
  const holdsSecret = secretFinder([...plain.values()], [namespace, name, ...plain.keys()]);
  const markers = { data: REDACTED_DATA, stringData: REDACTED };
  const redacted = mapEntries(object, ([field, value]) => {
    if (field === 'metadata') return [field, redactMetadata(object.metadata, holdsSecret)];
    if (field !== 'data' && field !== 'stringData') return [field, value];
    if (!isJsonObject(value)) return [field, undefined]; // no shape that a Secret has: whatever it is, it goes
    const json = JSON_KEYS.get(object['type']);
    const marker = (entry: string): string =>
      entry === json ? (field === 'data' ? REDACTED_JSON : decode(REDACTED_JSON).toString()) : markers[field];
    return [field, mapEntries(value, ([entry]) => [entry, marker(entry)])];
  }) as KubeObject;
  const pairs = [...plain].map(([entry, bytes]) => [entry, bytes.toString('base64')]).sort(byKey);
  return { object: redacted, digest: hmacOf(key, `secret-values\0${canonicalJson([namespace, name, pairs])}`) };
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

function redactMetadata(metadata: KubeObject['metadata'], holdsSecret: (text: string) => boolean): unknown {
  const redact = (map: unknown): unknown =>
    isJsonObject(map)
      ? mapEntries(map, ([key, value]) => {
          if (holdsSecret(key)) return [key, undefined];
          return [key, typeof value === 'string' && holdsSecret(value) ? REDACTED : value];
        })
      : map;
  return mapEntries(metadata, ([field, value]) => [
    field,
    field === 'annotations' || field === 'labels' ? redact(value) : value,
  ]);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}

function byKey([left]: string[], [right]: string[]): number {
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
