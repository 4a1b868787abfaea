export const WEBHOOK_OPTIONS = Symbol('WEBHOOK_OPTIONS');

export interface WebhookOptions {
  port: number;
  host: string;
  /** How long calls are answered after the process was told to end, in ms. */
  shutdownGraceMs: number;
  /** How the operator's own probes are known and answered. */
  probe: { fieldManager: string; warning: (digest: string) => string };
  /** Told the time that each answer took, in seconds. */
  onAnswered?: (seconds: number) => void;
}
