import { randomBytes } from 'node:crypto';
import type { KubeApi } from '../api/kube-api.ts';
import { reconcileSecret } from './own-secret.ts';
import type { SecretPlace } from './own-secret.ts';
import { secretBytes } from './secret-data.ts';

/**
 * A random key of `bytes` bytes that all replicas share, kept under `key` of a Secret: created where it is missing or has another length.
 * @throws KubeError, `NamespaceNotFound` among them.
 */
export async function ensureKeySecret(
  api: KubeApi,
  options: SecretPlace & { key: string; bytes: number; signal?: AbortSignal },
): Promise<Buffer> {
  const { key, bytes, signal } = options;
  const secret = await reconcileSecret(
    api,
    options,
    async (current) => (secretBytes(current, key).length === bytes ? undefined : { [key]: randomBytes(bytes) }),
    signal,
  );
  return secretBytes(secret, key);
}
