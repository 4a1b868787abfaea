import { decodeEntry, encodeRecord, stateField, stateFlags } from '../ledger-entry.ts';
import type { LedgerEntry, LedgerRecord } from '../ledger-entry.ts';
import type { LedgerView, SettledMark } from '../proof.ts';

/** One name's hash, with what `LedgerService` does to it in Redis. */
export class LedgerInMemory {
  private readonly hash = new Map<string, string>();

  record(record: LedgerRecord): void {
    for (const [field, value] of Object.entries(encodeRecord(record))) this.hash.set(field, value);
  }

  read(): LedgerEntry | undefined {
    return decodeEntry(Object.fromEntries(this.hash));
  }

  /** Replaces what was read by `next`; what was recorded since stays. */
  conclude(entry: LedgerEntry, next: LedgerView): void {
    const kept = new Set(['object']);
    for (const { id } of next.attempts) kept.add(`a:${id}`).add(`t:${id}`);
    for (const { uid, state } of next.states) this.keep(kept, stateField(uid, state), stateFlags(state));
    if (next.settled !== undefined) this.keep(kept, 'settled', JSON.stringify(next.settled));
    for (const field of entry.fields) if (!kept.has(field)) this.hash.delete(field);
  }

  get settled(): SettledMark | undefined {
    return this.read()?.view.settled;
  }

  /** Something waits for a verdict. */
  get isOpen(): boolean {
    return [...this.hash.keys()].some((field) => field.startsWith('a:') || field.startsWith('look:'));
  }

  /** A settled name is forgotten a day after its last call. */
  forget(): void {
    if (!this.isOpen) this.hash.clear();
  }

  private keep(kept: Set<string>, field: string, value: string): void {
    kept.add(field);
    this.hash.set(field, value);
  }
}
