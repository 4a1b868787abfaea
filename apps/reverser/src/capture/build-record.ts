import type { KubeObject, ObjectRef, Operation, ProvenState, RepositoryKey, StateDigest } from '#domain';
import type { LedgerAttempt, LedgerRecord } from '#ledger';
import { writtenAt } from './newest-write.ts';

export interface SanitizedState {
  content: string;
  digest: StateDigest;
}

/** What a call asks for, and the other form that may be stored. */
export interface AskedState extends SanitizedState {
  alternative?: SanitizedState;
}

/** A state that no file can hold has no content. */
export type BaseState = Omit<SanitizedState, 'content'> & { content?: string };

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
  old: { object: KubeObject; sanitized: BaseState; selected: boolean } | undefined;
  /** The state asked for; absent for DELETE. */
  asked: AskedState | undefined;
  /** No rule selects the object in the state asked for. */
  leaves?: boolean;
}

/** One call as the ledger takes it. Pure. */
export function buildRecord(call: Call): LedgerRecord {
  const base = call.old && provenState(call.old.object, call.old.sanitized.digest, call.old.selected);
  const digest = call.asked?.digest ?? call.old?.sanitized.digest ?? { content: '', fingerprint: '' };
  const alternative = call.asked?.alternative;
  const target = { ...digest, ...(alternative !== undefined && { alternative: alternative.digest.content }) };
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
    ...(call.wantedBy.length > 0 && {
      ...(call.asked !== undefined && { content: call.asked.content }),
      ...(alternative !== undefined && { alternativeContent: alternative.content }),
    }),
  };
  const record: LedgerRecord = { object: call.ref, attempt };
  if (base === undefined || call.old === undefined) return record;
  const { content } = call.old.sanitized;
  return {
    ...record,
    base: { uid: call.ref.uid, state: base, ...(call.old.selected && content !== undefined && { content }) },
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
