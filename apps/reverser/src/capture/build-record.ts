import type { KubeObject, ObjectRef, Operation, ProvenState, RepositoryKey, StateDigest } from '#domain';
import type { LedgerAttempt, LedgerRecord } from '#ledger';
import { writtenAt } from './newest-write.ts';

export interface SanitizedState {
  content: string;
  digest: StateDigest;
}

/** What the recorder found out about one call. */
export interface Call {
  id: string;
  operation: Operation;
  ref: ObjectRef;
  user: string;
  admittedAt: number;
  wantedBy: RepositoryKey[];
  /** DELETE: who holds the object's states, whoever deletes it. */
  keptBy?: RepositoryKey[];
  /** The state before; absent for CREATE. */
  old: { object: KubeObject; sanitized: SanitizedState; selected: boolean } | undefined;
  /** The state asked for; absent for DELETE. */
  asked: SanitizedState | undefined;
  /** No rule selects the object in the state asked for. */
  leaves?: boolean;
}

/** One call as the ledger takes it. Pure. */
export function buildRecord(call: Call): LedgerRecord {
  const base = call.old && provenState(call.old.object, call.old.sanitized.digest, call.old.selected);
  const target = call.asked?.digest ?? call.old?.sanitized.digest ?? { content: '', fingerprint: '' };
  const attempt: LedgerAttempt = {
    id: call.id,
    operation: call.operation,
    object: call.ref,
    base: base?.version ?? null,
    target,
    user: call.user,
    admittedAt: call.admittedAt,
    wantedBy: call.wantedBy,
    ...(call.keptBy !== undefined && { keptBy: call.keptBy }),
    ...(call.leaves === true && { leaves: true }),
    ...(call.asked !== undefined && call.wantedBy.length > 0 && { content: call.asked.content }),
  };
  const record: LedgerRecord = { object: call.ref, attempt };
  if (base === undefined || call.old === undefined) return record;
  return {
    ...record,
    base: { uid: call.ref.uid, state: base, ...(call.old.selected && { content: call.old.sanitized.content }) },
  };
}

export function provenState(object: KubeObject, digest: StateDigest, selected = true): ProvenState {
  const time = writtenAt(object.metadata);
  return {
    ...digest,
    version: object.metadata.resourceVersion ?? '0',
    dying: object.metadata.deletionTimestamp !== undefined,
    ...(!selected && { unselected: true }),
    ...(time !== undefined && { writtenAt: time }),
  };
}
