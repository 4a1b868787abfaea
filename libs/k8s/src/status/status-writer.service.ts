import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { ObjectRef } from '#domain';
import { parseExactJson, writeExactJson } from '../api/exact-json.ts';
import { KubeApi } from '../api/kube-api.ts';
import { isKubeError } from '../api/kube-error.ts';
import { refPath } from '../api/object-path.ts';
import { FIELD_MANAGER } from '../certificates/secret-data.ts';
import type { Condition } from './conditions.ts';

const MAX_RACES = 8;

/** A status as stored. */
export interface ObjectStatus {
  conditions?: Condition[];
  [field: string]: unknown;
}

/** Fields to set; undefined leaves one as it is, null removes it. Lists, conditions too, are whole. */
export type StatusPatch = Record<string, unknown>;

/** Writes status subresources. */
@Injectable()
export class StatusWriter {
  constructor(private readonly api: KubeApi) {}

  /**
   * Sets fields of the object's status where they differ. A function sees the stored status, and sees it again after another writer was
   * faster: so two writers never lose each other's conditions. An object that is gone, or another of the same name, is left alone.
   * @returns whether something was written.
   */
  async patch(
    ref: Omit<ObjectRef, 'kind'>,
    change: StatusPatch | ((status: ObjectStatus) => StatusPatch),
    signal?: AbortSignal,
  ): Promise<boolean> {
    for (let race = 0; ; race += 1) {
      try {
        return await this.patchOnce(ref, typeof change === 'function' ? change : (): StatusPatch => change, signal);
      } catch (error) {
        if (isKubeError(error, 'NotFound')) return false;
        if (!isKubeError(error, 'Conflict') || race >= MAX_RACES) throw error;
      }
    }
  }

  private async patchOnce(
    ref: Omit<ObjectRef, 'kind'>,
    change: (status: ObjectStatus) => StatusPatch,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const object = await this.api.get(refPath(ref), { signal });
    if (object.metadata.uid !== ref.uid) return false;
    const status = (object['status'] ?? {}) as ObjectStatus;
    const changed = changedFields(status, change(status));
    if (Object.keys(changed).length === 0) return false;
    const body = { metadata: { resourceVersion: object.metadata.resourceVersion }, status: changed };
    await this.api.patch(refPath(ref, 'status'), body, { fieldManager: FIELD_MANAGER, signal });
    return true;
  }
}

/** The part of a patch that says something new. */
export function changedFields(status: ObjectStatus, patch: StatusPatch): StatusPatch {
  const isNews = ([field, value]: [string, unknown]): boolean => {
    if (value === undefined) return false;
    if (value === null) return status[field] !== undefined && status[field] !== null;
    return !isDeepStrictEqual(plain(value), status[field]);
  };
  return Object.fromEntries(Object.entries(patch).filter(isNews));
}

/** As it would be stored: JSON leaves out undefined. */
function plain(value: unknown): unknown {
  const [stored] = parseExactJson(writeExactJson([value])) as unknown[];
  return stored;
}
