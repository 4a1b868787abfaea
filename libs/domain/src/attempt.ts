import type { Operation } from './change.ts';
import type { ObjectRef } from './object-ref.ts';
import type { RepositoryKey } from './repository.ts';

/**
 * Two keyed digests of one state of an object (HMAC-SHA-256, hex).
 * `content`: of the sanitized object. `fingerprint`: of generation, labels, annotations and the managedFields entries
 * without `subresource`; `''` where it can't be known (an attempt through `scale`).
 */
export interface StateDigest {
  content: string;
  fingerprint: string;
}

/** A state that a request's `oldObject`, a live read or a watch proved: at `version` the object was this. */
export interface ProvenState extends StateDigest {
  /** resourceVersion, a decimal number as text: compare as BigInt. */
  version: string;
  /** metadata.deletionTimestamp was set. */
  dying: boolean;
  /** No rule selected the object in this state: a step into it that nothing explains is nobody's business. */
  unselected?: boolean;
  /** When a user or controller last wrote more than status, in ms since the epoch, as the object itself says; absent where unknown. */
  writtenAt?: number;
}

/** What an attempt asked for, and in which other form it may be stored, where that can't be foretold. */
export interface Target extends StateDigest {
  /** Digest of the other content. */
  alternative?: string;
}

/** What one admission call asked for: from version `base` to a content. Whether it was persisted is for the proof to say. */
export interface Attempt {
  /** The admission request's uid. */
  id: string;
  operation: Operation;
  object: ObjectRef;
  /** The version that the call started from; `null` for CREATE. */
  base: string | null;
  /** What it asked for; for DELETE the state that it would delete. */
  target: Target;
  user: string;
  admittedAt: number;
  /** The repositories whose rules want it, as matched at admission; empty for one that is only recorded. */
  wantedBy: RepositoryKey[];
  /** DELETE: the repositories that hold the object's states, whoever deletes it. */
  keptBy?: RepositoryKey[];
  /** The content (file text) that it asked for; absent where nobody wants it and for DELETE. */
  content?: string;
  /** The text of `target.alternative`. */
  alternativeContent?: string;
}
