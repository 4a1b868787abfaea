import type { LedgerRecord } from '#ledger';

export interface SpilledRecord {
  id: string;
  record: LedgerRecord;
  bytes: number;
  /** When its call came, in ms since the epoch. */
  at: number;
}

/** Records that Redis could not take, in order, within a bound. Pure bookkeeping: its owner writes them later. */
export class Spill {
  private records: SpilledRecord[] = [];
  private bytes = 0;

  constructor(
    private readonly maxRecords: number,
    private readonly maxBytes: number,
  ) {}

  get size(): number {
    return this.records.length;
  }

  /** When the oldest call came, in ms since the epoch. */
  get since(): number | undefined {
    return this.records.reduce<number | undefined>((oldest, { at }) => Math.min(oldest ?? at, at), undefined);
  }

  /** False where there is no room: the record is lost. */
  put(id: string, record: LedgerRecord, at: number): boolean {
    const bytes = 500 + (record.attempt?.content?.length ?? 0) + (record.base?.content?.length ?? 0);
    if (this.records.length >= this.maxRecords || this.bytes + bytes > this.maxBytes) return false;
    this.records.push({ id, record, bytes, at });
    this.bytes += bytes;
    return true;
  }

  /** The oldest records, at most `count` of them and about `bytes` in all; one at least where there is one. They stay until {@link shift}. */
  oldest(count: number, bytes: number): SpilledRecord[] {
    let end = 0;
    for (let size = 0; end < Math.min(count, this.records.length); end++) {
      size += this.records[end]?.bytes ?? 0;
      if (end > 0 && size > bytes) break;
    }
    return this.records.slice(0, end);
  }

  shift(count = 1): void {
    for (const { bytes } of this.records.splice(0, count)) this.bytes -= bytes;
  }
}
