export const WEBHOOK_OPTIONS = Symbol('WEBHOOK_OPTIONS');

/** `not-a-review`: no AdmissionReview. `incomplete`: the caller went away before it was whole. `not-recorded`: its handling failed. */
export type DropReason = 'not-a-review' | 'incomplete' | 'not-recorded';

export interface WebhookOptions {
  port: number;
  host: string;
  /** How long calls are answered after the process was told to end, in ms. */
  shutdownGraceMs: number;
  /** How the operator's own probes are known and answered. */
  probe: { fieldManager: string; warning: (digest: string) => string };
  /** Told the time that each answer took, in seconds. */
  onAnswered?: (seconds: number) => void;
  /** Told of each call that was answered, or broke off, without a record of it; `operation` is `UNKNOWN` where it could not be read. */
  onDropped?: (drop: { operation: string; reason: DropReason }) => void;
}
