import type { KubeObject } from '#domain';
import type { KubeApi } from '../api/kube-api.ts';
import { KubeError, isKubeError } from '../api/kube-error.ts';
import { collectionPath, objectPath } from '../api/object-path.ts';
import { FIELD_MANAGER, SECRETS, encodeData, newSecret } from './secret-data.ts';

/** Replicas that start together lose a race once or twice; more is a fight with somebody else. */
const MAX_RACES = 8;

export interface SecretPlace {
  namespace: string;
  name: string;
  instanceName: string;
}

/**
 * Reads a Secret and writes what `decide` returns until both agree. Safe against other replicas: who loses a race reads the winner's
 * Secret and decides again. `decide` returns undefined to leave the Secret as it is.
 * @throws KubeError `NamespaceNotFound` when it would have to be created where no namespace is.
 */
export async function reconcileSecret(
  api: KubeApi,
  place: SecretPlace,
  decide: (secret: KubeObject | undefined) => Promise<Record<string, Uint8Array | string> | undefined>,
  signal?: AbortSignal,
): Promise<KubeObject> {
  const path = objectPath(SECRETS, place.namespace, place.name);
  const write = { fieldManager: FIELD_MANAGER, signal };
  for (let race = 0; ; race += 1) {
    const secret = await readSecret(api, path, signal);
    const data = await decide(secret);
    if (data === undefined && secret !== undefined) return secret;
    try {
      if (secret === undefined) {
        return await api.create(collectionPath(SECRETS, place.namespace), newSecret(place, data ?? {}), write);
      }
      if (secret['immutable'] === true) {
        // somebody's mistake: nothing in it can be repaired in place
        await api.delete(path, { uid: secret.metadata.uid, signal });
        continue;
      }
      const version = secret.metadata.resourceVersion;
      return await api.patch(path, { metadata: { resourceVersion: version }, data: encodeData(data ?? {}) }, write);
    } catch (error) {
      if (secret === undefined && isKubeError(error, 'NotFound')) throw namespaceNotFound(place, error);
      if (!isKubeError(error, 'Conflict', 'AlreadyExists', 'NotFound') || race >= MAX_RACES) throw error;
    }
  }
}

async function readSecret(
  api: KubeApi,
  path: string,
  signal: AbortSignal | undefined,
): Promise<KubeObject | undefined> {
  try {
    return await api.get(path, { signal });
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  }
}

function namespaceNotFound(place: SecretPlace, cause: unknown): KubeError {
  return new KubeError(
    'NamespaceNotFound',
    `namespace '${place.namespace}' does not exist, so Secret '${place.name}' can't be kept there: create it, or set POD_NAMESPACE`,
    { retryable: true, cause },
  );
}
