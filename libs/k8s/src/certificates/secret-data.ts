import type { KubeObject } from '#domain';

export const SECRETS = { group: '', version: 'v1', resource: 'secrets' } as const;
export const FIELD_MANAGER = 'gitops-reverser';
/** Marks the Secrets that an instance made for itself, so that removing it finds them and no others. */
export const INSTANCE_LABEL = 'configbutler.ai/instance';

/** The text of one key of a Secret; `''` where it is missing or no valid base64. */
export function secretText(secret: KubeObject | undefined, key: string): string {
  return secretBytes(secret, key).toString('utf8');
}

/** The bytes of one key of a Secret; empty where it is missing. */
export function secretBytes(secret: KubeObject | undefined, key: string): Buffer {
  const data = secret?.['data'];
  if (typeof data !== 'object' || data === null) return Buffer.alloc(0);
  const value = (data as Record<string, unknown>)[key];
  return typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0);
}

/** An Opaque Secret of ours. */
export function newSecret(
  at: { namespace: string; name: string; instanceName: string },
  data: Record<string, Uint8Array | string>,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: at.namespace, name: at.name, labels: { [INSTANCE_LABEL]: at.instanceName } },
    type: 'Opaque',
    data: encodeData(data),
  };
}

/** Values of `data`, in base64. */
export function encodeData(data: Record<string, Uint8Array | string>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}
