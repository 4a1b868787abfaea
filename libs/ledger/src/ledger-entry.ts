import type { ObjectRef, ProvenState, RepositoryKey } from '#domain';
import type { LedgerAttempt, LedgerView, SettledMark } from './proof.ts';

/** One admission call as the ledger takes it: the attempt, and the state that its `oldObject` proved. */
export interface LedgerRecord {
  attempt?: LedgerAttempt;
  /** What `oldObject` proved, with its file text where somebody may want it. */
  base?: { uid: string; state: ProvenState; content?: string };
  /**
   * Read the object again and again until then, in ms since the epoch, and commit as observed what nobody announced: a call
   * whose content could not be read may still be stored. `0`: read it once.
   */
  lookUntil?: number;
  /** Who hears of the object's end, where no attempt tells: read by a watch before it went. */
  watchers?: Watchers;
  object: ObjectRef;
  /** Only of use where the ledger knows the name: nobody wants to hear of the object as it is now. */
  ifKnown?: boolean;
}

/** Who hears of an observed change of an object, by what it does to the file. */
export type Watchers = Record<'UPDATE' | 'DELETE', RepositoryKey[]>;

/** The newest change of an object was not wanted by repositories that select the object: its writer is excluded. */
export interface Withheld {
  uid: string;
  /** `namespace/name` of GitRepoConfigs. */
  from: string[];
}

/** A verdict that is put off: records may be on their way that tell another story. Times are ms of Redis' clock. */
export interface Doubt {
  /** The verdicts that are in doubt. */
  about: string[];
  /** When the newest of them came up. */
  since: number;
  /** When there was any doubt first, since the last verdict. */
  first: number;
}

/** All that Redis holds about one object name. `fields` are the hash fields that were read: only those may be deleted. */
export interface LedgerEntry {
  object: ObjectRef;
  view: LedgerView;
  /** File texts: of attempts by their id and by {@link alternativeText}, of proven states by {@link stateText}. */
  contents: Map<string, string>;
  /** Until when the object is to be looked at, in ms since the epoch. */
  looks: number[];
  /** Counts the verdicts: a verdict on what another one has decided since is none. */
  revision: string;
  doubt: Doubt | undefined;
  /** The repositories whose rules selected the object when it was last settled: they hear of its unexplained end. */
  watchers: Watchers;
  withheld: Withheld | undefined;
  fields: string[];
}

/** The hash fields of a record. An attempt's text has its own field: a verdict on another attempt can't take it away. */
export function encodeRecord(record: LedgerRecord): Record<string, string> {
  const fields: Record<string, string> = { object: JSON.stringify(record.object) };
  if (record.attempt !== undefined) {
    const { content, alternativeContent, ...attempt } = record.attempt;
    fields[`a:${attempt.id}`] = JSON.stringify(attempt);
    if (content !== undefined) fields[`t:${attempt.id}`] = content;
    if (alternativeContent !== undefined) fields[`t:${alternativeText(attempt.id)}`] = alternativeContent;
  }
  if (record.base !== undefined) {
    const { uid, state, content } = record.base;
    fields[stateField(uid, state)] = stateFlags(state);
    if (content !== undefined) fields[`c:${stateText(state)}`] = content;
  }
  if (record.lookUntil !== undefined) fields[lookField(record.lookUntil)] = '';
  if (record.watchers !== undefined) fields['watchers'] = JSON.stringify(record.watchers);
  return fields;
}

/** The inverse of {@link encodeRecord}, over all records of one name; nothing where the hash is empty. */
export function decodeEntry(hash: Record<string, string>): LedgerEntry | undefined {
  const object = hash['object'];
  if (object === undefined) return undefined;
  const entry: LedgerEntry = {
    object: JSON.parse(object) as ObjectRef,
    view: { attempts: [], states: [] },
    contents: new Map(),
    looks: [],
    revision: hash['rev'] ?? '',
    doubt: undefined,
    watchers: { UPDATE: [], DELETE: [] },
    withheld: undefined,
    fields: Object.keys(hash),
  };
  for (const [field, value] of Object.entries(hash)) {
    if (field.startsWith('a:')) entry.view.attempts.push(JSON.parse(value) as LedgerAttempt);
    else if (field.startsWith('s:')) entry.view.states.push(decodeState(field, value));
    else if (field.startsWith('c:') || field.startsWith('t:')) entry.contents.set(field.slice(2), value);
    else if (field === 'settled') entry.view.settled = JSON.parse(value) as SettledMark;
    else if (field === 'withheld') entry.withheld = JSON.parse(value) as Withheld;
    else if (field === 'watchers') entry.watchers = JSON.parse(value) as Watchers;
    else if (field.startsWith('look:')) entry.looks.push(Number(field.slice(5)));
    else if (field === 'doubt') entry.doubt = JSON.parse(value) as Doubt;
  }
  entry.view.attempts.sort((a, b) => a.admittedAt - b.admittedAt || (a.id < b.id ? -1 : 1));
  return entry;
}

export function stateField(uid: string, state: ProvenState): string {
  return `s:${uid}:${state.version}:${state.content}:${state.fingerprint}`;
}

export function lookField(until: number): string {
  return `look:${until}`;
}

/** The key of the text of an attempt's other form. */
export function alternativeText(attemptId: string): string {
  return `${attemptId}/alternative`;
}

/** The key of a proven state's text: a text that is recorded again with a newer version outlives the verdict on an older one. */
export function stateText({ version, content }: Pick<ProvenState, 'version' | 'content'>): string {
  return `${version}/${content}`;
}

/** The value of a state's field: `d` dying, `u` unselected, then when it was written. */
export function stateFlags({ dying, unselected, writtenAt }: ProvenState): string {
  return `${dying ? 'd' : ''}${unselected === true ? 'u' : ''}${writtenAt ?? ''}`;
}

function decodeState(field: string, value: string): { uid: string; state: ProvenState } {
  const [, uid = '', version = '', content = '', fingerprint = ''] = field.split(':');
  const unselected = value.includes('u');
  const time = value.replace(/^[du]*/, '');
  return {
    uid,
    state: {
      ...{ version, content, fingerprint, dying: value.includes('d') },
      ...(unselected && { unselected }),
      ...(time !== '' && { writtenAt: Number(time) }),
    },
  };
}
