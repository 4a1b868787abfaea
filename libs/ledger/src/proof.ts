import type { Attempt, ProvenState } from '#domain';

/** The object that bears the name right now, as a live read proved it; `undefined` where nothing bears it. */
export type LiveState = { uid: string; state: ProvenState } | undefined;

/** Up to where everything about one name is decided. `gone`: the uid was deleted or is dying, and its file's removal was decided. */
export interface SettledMark {
  uid: string;
  version: string;
  gone: boolean;
}

/** An attempt with what only the proof asks for. */
export interface LedgerAttempt extends Attempt {
  /** It takes the object out of every rule's selection: calls about it that follow are not recorded. */
  leaves?: boolean;
}

/** All that is known about one object name: attempts and proven states of each uid that bore it. */
export interface LedgerView {
  attempts: LedgerAttempt[];
  states: { uid: string; state: ProvenState }[];
  settled?: SettledMark | undefined;
}

/** One change that was persisted, in version order. */
export type ProvenChange =
  | {
      kind: 'persisted';
      attempt: Attempt;
      /** The first proven version that holds the change; for DELETE the version that was deleted. */
      version: string;
      /** The proven state has other content than the attempt asked for (conversion): commit the state's. */
      converted: ProvenState | undefined;
      alsoRequestedBy: string[];
    }
  | {
      kind: 'observed';
      operation: 'UPDATE' | 'DELETE';
      uid: string;
      version: string;
      /** The observed content's digest; `''` for DELETE. */
      content: string;
      /** When the observed state was written, in ms since the epoch, where it is known. */
      writtenAt?: number;
      /**
       * The first state that is known of an object whose creation is not: it came before the ledger knew of it, and Git holds
       * it, or nobody announced its creation. Git tells which.
       */
      presumed?: boolean;
    };

/**
 * Why an attempt is no commit. `superseded`: another write came from its base. `rejected`: its base outlived the request.
 * `unchanged`: persisted or not, the content is the base's. `dying`: the object was being deleted already.
 */
export type DismissReason = 'superseded' | 'rejected' | 'unchanged' | 'dying';

export interface Proof {
  changes: ProvenChange[];
  dismissed: { attempt: Attempt; reason: DismissReason }[];
  /** Undecided: look again. They hold back nothing but themselves. */
  pending: LedgerAttempt[];
  settled: SettledMark | undefined;
  /**
   * The verdicts for which nothing speaks but that no other record is known: one on its way may tell another story.
   * Equal for the same verdict, also at a later look. Presumed states are not among them.
   */
  doubts: string[];
}

export interface ProofLimits {
  /** An attempt older than this, in ms, whose base is still live was rejected. The API server ends a request after 60 s. */
  requestLimitMs: number;
  /** Deletions by several users within this many ms of each other can't be told apart. */
  deleteTieMs: number;
}

/** 60 s: kube-apiserver's --request-timeout; 5 s on top for clocks and queues. */
export const DEFAULT_PROOF_LIMITS: ProofLimits = { requestLimitMs: 65_000, deleteTieMs: 2_000 };

/** Orders resourceVersions as the numbers that they are. */
export function compareVersions(a: string, b: string): number {
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
