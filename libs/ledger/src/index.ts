export type { LedgerEntry, LedgerRecord, Watchers, Withheld } from './ledger-entry.ts';
export { LEDGER_OPTIONS, LEDGER_REDIS, LedgerService } from './ledger.service.ts';
export type { LedgerOptions, Standing } from './ledger.service.ts';
export { LedgerModule } from './ledger.module.ts';
export { nextView } from './next-view.ts';
export { objectKey } from './object-key.ts';
export * from './proof.ts';
export { proveObject } from './prove-object.ts';
export { isRestored, rewindView } from './rewind-view.ts';
