import { confirmationOf, confirmedCount } from './confirm-removal.ts';

/** Remembers over restarts and for all replicas what was acted on. */
export interface HandledValues {
  read(uid: string): Promise<string | undefined>;
  write(uid: string, value: string): Promise<void>;
}

/** A person's word for one removal of many files: it is spent once it was acted on. */
export class RemovalConfirmation {
  private handled: string | undefined;
  /** Acted on, and not yet remembered. */
  private unwritten: string | undefined;

  constructor(
    private readonly uid: string,
    private readonly values: HandledValues,
  ) {}

  /** To be called before the questions. Rejects while Redis is away. */
  async load(): Promise<void> {
    this.handled = this.unwritten ?? (await this.values.read(this.uid));
  }

  /** How many files may be removed at once with this value of the annotation. */
  allowed(value: string | undefined): number | undefined {
    return confirmedCount(value, this.handled);
  }

  /** The value that a person has to set. */
  wanted(count: number): string {
    return confirmationOf(count, this.handled);
  }

  /** So many files are being removed: where the value allowed just this, it is spent. */
  removed(count: number, value: string | undefined): void {
    if (value === undefined || count === 0 || this.allowed(value) !== count) return;
    this.handled = this.unwritten = value;
  }

  /** Whether a removal of so many files was allowed last: it may be under way. */
  wasFor(count: number): boolean {
    return confirmedCount(this.handled, undefined) === count;
  }

  /** Remembers what is not remembered yet. Rejects while Redis is away. */
  async remember(): Promise<void> {
    const { unwritten } = this;
    if (unwritten === undefined) return;
    await this.values.write(this.uid, unwritten);
    if (this.unwritten === unwritten) this.unwritten = undefined;
  }
}
