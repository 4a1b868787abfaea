import type { Readable } from 'node:stream';

/** The identity of a request fits into this many bytes: names are limited to 253 characters, users to what tokens carry. */
const PREFIX_BYTES = 256 * 1024;

/** Bytes of request bodies that are held at the same time. */
export class BodyBudget {
  private used = 0;

  constructor(private readonly limit: number) {}

  take(bytes: number): boolean {
    if (this.used + bytes > this.limit) return false;
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}

export interface ReadBody {
  text: string;
  /** The budget did not suffice: `text` is the body's beginning. */
  truncated: boolean;
  /** Gives the bytes back to the budget. */
  release: () => void;
}

/** Reads a body within the budget. Beyond it the rest is read and thrown away, so that the connection stays usable. */
export async function readBody(stream: Readable, budget: BodyBudget): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let taken = 0;
  let truncated = false;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (truncated) continue;
      if (budget.take(chunk.length)) {
        taken += chunk.length;
        chunks.push(chunk);
        continue;
      }
      truncated = true;
      chunks.push(chunk);
      const prefix = Buffer.concat(chunks).subarray(0, PREFIX_BYTES);
      chunks.length = 0;
      chunks.push(Buffer.from(prefix));
      budget.give(taken);
      taken = 0;
    }
  } catch (error) {
    budget.give(taken);
    throw error;
  }
  const held = taken;
  return { text: Buffer.concat(chunks).toString('utf8'), truncated, release: () => budget.give(held) };
}
