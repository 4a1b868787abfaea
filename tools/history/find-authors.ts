import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ManagedFieldsEntry } from '#domain';
import type { ObservedVersion } from './observer.ts';
import { MARKER } from './workload.ts';
import { managerOf, type WriteRecord } from './write-client.ts';

/** Answers who wrote a version, from what the writers know of their own requests. */
export class Authors {
  private readonly byId = new Map<number, WriteRecord>();
  private readonly byVersion = new Map<string, WriteRecord[]>();
  private readonly deletions = new Map<string, WriteRecord[]>();
  /** Deletions of collections that failed or gave no answer: some objects may be gone all the same. */
  private readonly halfDone: WriteRecord[] = [];

  constructor(records: readonly WriteRecord[]) {
    for (const record of records) this.add(record);
  }

  /** The requests that may have written it: of one user where that is known, none where nobody says so. */
  ofWrite(event: ObservedVersion, before: KubeObject | undefined): WriteRecord[] {
    const marked = this.byMarker(event.object, before);
    if (marked !== undefined) return [marked];
    const uid = event.object.metadata.uid ?? '';
    const answered = this.byVersion.get(`${uid}/${event.version}`) ?? [];
    // Who asked for nothing new got the version that was there: it was there once anybody was answered with it.
    const there = Math.min(...answered.map(({ endedAt }) => endedAt));
    const writers = answered.filter(({ startedAt }) => startedAt <= there);
    if (usersOf(writers).length < 2) return writers;
    // The writer's manager entry has gained something; another's may have lost what the writer took over.
    const gaining = gainingManagers(event.object, before);
    const credible = writers.filter(({ user }) => gaining.has(managerOf(user)));
    return credible.length > 0 ? credible : writers;
  }

  /** The deletions that were answered with success before the watch told of it. */
  ofDeletion(event: ObservedVersion): WriteRecord[] {
    const uid = event.object.metadata.uid ?? '';
    const sure = (this.deletions.get(uid) ?? []).filter((record) => record.startedAt <= event.at);
    if (sure.length > 0) return sure;
    const { kind } = event;
    return this.halfDone.filter(
      (record) =>
        record.resource === kind.resource &&
        record.namespace === event.object.metadata.namespace &&
        record.startedAt <= event.at &&
        event.at <= record.endedAt + 5_000,
    );
  }

  private add(record: WriteRecord): void {
    if (record.dryRun) return;
    const succeeded = record.status >= 200 && record.status <= 299;
    if (record.verb === 'delete') {
      if (succeeded && record.uid !== undefined) append(this.deletions, record.uid, record);
    } else if (record.verb === 'deletecollection') {
      for (const uid of record.deleted) append(this.deletions, uid, record);
      if (!succeeded) this.halfDone.push(record);
    } else if (succeeded) {
      this.byId.set(record.id, record);
      if (record.version !== undefined) append(this.byVersion, `${record.uid}/${record.version}`, record);
    }
  }

  private byMarker(object: KubeObject, before: KubeObject | undefined): WriteRecord | undefined {
    const marker = object.metadata.annotations?.[MARKER];
    if (marker !== undefined && marker !== before?.metadata.annotations?.[MARKER]) return this.byId.get(Number(marker));
    const replicas = replicasOf(object);
    if (before === undefined || replicas === undefined || replicas === replicasOf(before)) return undefined;
    const scaled = this.byId.get(replicas);
    return scaled?.verb === 'scale' ? scaled : undefined;
  }
}

function replicasOf(object: KubeObject): number | undefined {
  const spec = object['spec'] as { replicas?: number } | undefined;
  return spec?.replicas;
}

function gainingManagers(object: KubeObject, before: KubeObject | undefined): Set<string> {
  const known: ManagedFieldsEntry[] = before?.metadata.managedFields ?? [];
  const entries = object.metadata.managedFields ?? [];
  const gaining = entries.filter((entry) => !known.some((other) => isSameOrLess(entry, other)));
  return new Set(gaining.map(({ manager = '' }) => manager));
}

function isSameOrLess(entry: ManagedFieldsEntry, other: ManagedFieldsEntry): boolean {
  const { fieldsV1, ...rest } = entry;
  const { fieldsV1: otherFields, ...otherRest } = other;
  return isDeepStrictEqual(rest, otherRest) && isWithin(fieldsV1, otherFields);
}

/** Whether each claim of one fieldsV1 is in another one. */
function isWithin(fields: unknown, other: unknown): boolean {
  if (typeof fields !== 'object' || fields === null) return isDeepStrictEqual(fields, other);
  if (typeof other !== 'object' || other === null) return false;
  return Object.entries(fields).every(([name, value]) => isWithin(value, (other as Record<string, unknown>)[name]));
}

export function usersOf(records: readonly WriteRecord[]): string[] {
  return [...new Set(records.map(({ user }) => user))];
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
