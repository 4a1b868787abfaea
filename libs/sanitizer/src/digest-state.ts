import { createHmac } from 'node:crypto';
import type { KubeObject, StateDigest } from '#domain';
import { canonicalJson } from './json-value.ts';

/** The two digests of one state; `text` is its rendered file. */
export function digestState(object: KubeObject, text: string, key: Uint8Array): StateDigest {
  return { content: hmacOf(key, text), fingerprint: fingerprintOf(object, key) };
}

/**
 * Digest of what tells two states with the same content apart: generation, labels, annotations, and the managedFields entries
 * without `subresource` (writes through a subresource are not calls on the object). Empty maps count as absent.
 */
export function fingerprintOf(object: KubeObject, key: Uint8Array): string {
  const { generation, labels, annotations, managedFields } = object.metadata;
  const managers = (managedFields ?? []).filter((entry) => !entry.subresource);
  return hmacOf(
    key,
    `fingerprint\0${canonicalJson({ generation, labels: labels ?? {}, annotations: annotations ?? {}, managers })}`,
  );
}

/** HMAC-SHA-256, hex. */
export function hmacOf(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest('hex');
}
