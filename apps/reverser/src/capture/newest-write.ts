import type { ManagedFieldsEntry, ObjectMeta } from '#domain';

/**
 * The managers of the newest writes: times are whole seconds, so that several may have written in the same one. A write
 * through status counts where it owns labels or annotations.
 */
export function newestManagers(entries: ManagedFieldsEntry[] | undefined): string[] {
  const writes = (entries ?? []).filter(writesMore);
  const newest = writes.reduce((latest, { time = '' }) => (time > latest ? time : latest), '');
  const managers = writes.flatMap(({ time = '', manager }) => (time === newest && manager ? [manager] : []));
  return [...new Set(managers)].sort();
}

/** When a user or controller last wrote more than status, in ms since the epoch; by managedFields, else its creation. */
export function writtenAt({ managedFields = [], creationTimestamp = '' }: ObjectMeta): number | undefined {
  const times = managedFields.filter(writesMore).map(({ time = '' }) => Date.parse(time));
  const known = [...times, Date.parse(creationTimestamp)].filter((time) => !Number.isNaN(time));
  return known.length === 0 ? undefined : Math.max(...known);
}

function writesMore({ subresource, fieldsV1 }: ManagedFieldsEntry): boolean {
  return subresource === undefined || fieldsV1?.['f:metadata'] !== undefined;
}
