import type { LedgerRecord } from '#ledger';

export interface SpilledRecord {
  id: string;
  record: LedgerRecord;
  bytes: number;
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

  /** False where there is no room: the record is lost. */
  put(id: string, record: LedgerRecord): boolean {
    const bytes = 500 + (record.attempt?.content?.length ?? 0) + (record.base?.content?.length ?? 0);
    if (this.records.length >= this.maxRecords || this.bytes + bytes > this.maxBytes) return false;
    this.records.push({ id, record, bytes });
    this.bytes += bytes;
    return true;
  }

  /** The oldest record, which stays until {@link shift}. */
  peek(): SpilledRecord | undefined {
    return this.records[0];
  }

  shift(): void {
    const first = this.records.shift();
    if (first !== undefined) this.bytes -= first.bytes;
  }
}
