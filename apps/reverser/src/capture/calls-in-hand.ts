import { Injectable } from '@nestjs/common';

/** The admission calls that are being recorded: a call may be answered, at its deadline, before its record is written. */
@Injectable()
export class CallsInHand {
  private readonly starts = new Set<{ at: number }>();
  private readonly running = new Set<Promise<unknown>>();

  /** When the oldest of them came, in ms since the epoch. */
  get oldest(): number | undefined {
    const [first] = this.starts; // a Set keeps the order in which they came
    return first?.at;
  }

  /** Resolves once all that are in hand now have ended. Never rejects. */
  async done(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    const start = { at: Date.now() };
    this.starts.add(start);
    const running = work();
    this.running.add(running);
    try {
      return await running;
    } finally {
      this.starts.delete(start);
      this.running.delete(running);
    }
  }
}
