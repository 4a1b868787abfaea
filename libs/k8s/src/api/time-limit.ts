import { errorFromNetwork } from './classify-kube-error.ts';
import { KubeError } from './kube-error.ts';

/** A time limit that can be told from the caller's own abort. */
export class TimeLimit {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private expired = false;
  private readonly milliseconds: number;
  private readonly outer: AbortSignal | undefined;

  constructor(milliseconds: number, outer: AbortSignal | undefined) {
    this.milliseconds = milliseconds;
    this.outer = outer;
    this.timer = setTimeout(() => {
      this.expired = true;
      this.controller.abort();
    }, milliseconds);
    if (outer?.aborted === true) this.controller.abort();
    outer?.addEventListener('abort', this.forward);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  private readonly forward = (): void => this.controller.abort();

  /** No time limit from here; the caller's signal still counts. */
  disarm(): void {
    clearTimeout(this.timer);
  }

  end(): void {
    this.disarm();
    this.outer?.removeEventListener('abort', this.forward);
  }

  explain(request: { method: string; path: string }, error: unknown): KubeError {
    const what = `${request.method} ${request.path.split('?', 1)[0] ?? ''}`;
    if (this.outer?.aborted === true)
      return new KubeError('Aborted', `${what}: given up by the caller`, { retryable: true, cause: error });
    if (this.expired)
      return new KubeError('Timeout', `${what}: no answer within ${this.milliseconds} ms`, {
        retryable: true,
        cause: error,
      });
    return errorFromNetwork(request, error);
  }
}
