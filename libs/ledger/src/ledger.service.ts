import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { alternativeText, decodeEntry, encodeRecord, lookField, stateField, stateFlags } from './ledger-entry.ts';
import type { Doubt, LedgerEntry, LedgerRecord, Watchers, Withheld } from './ledger-entry.ts';
import type { LedgerView, SettledMark } from './proof.ts';

/** How far a name is decided, without its contents. */
export interface Standing {
  settled: SettledMark | undefined;
  /** There are attempts to be decided, or somebody asked for a look. */
  open: boolean;
  withheld: Withheld | undefined;
}

/** A connection that fails at once while Redis is away; made by the app. */
export const LEDGER_REDIS = Symbol('LEDGER_REDIS');
export const LEDGER_OPTIONS = Symbol('LEDGER_OPTIONS');

export interface LedgerOptions {
  /** Prefix of all keys. */
  prefix: string;
}

/** What a settled name's memory is kept for: its last version tells an unexplained change from the first sight of an object. */
const KEEP_MS = 24 * 3_600_000;
/** That of an object that is gone: calls about it that were under way have come by then. Names that never come back would pile up. */
const KEEP_GONE_MS = 15 * 60_000;
/** A record whose settle job was lost (a crash between the two) is looked at after this long. */
const FALLBACK_MS = 2_000;

/** Whether a field waits for a verdict. */
const IS_OPEN = `local function isOpen(field)
  return string.sub(field, 1, 2) == 'a:' or string.sub(field, 1, 5) == 'look:'
end`;

/**
 * KEYS entry, due; ARGV id, revision, next look (ms; used if something is undecided), keep ms, n deletions, fields…, then field
 * value… Answers how many are open; -1 where another verdict came in between.
 * What needs memory comes first: a Redis that has none left refuses it before anything was changed.
 */
const CONCLUDE = `
${IS_OPEN}
if (redis.call('HGET', KEYS[1], 'rev') or '') ~= ARGV[2] then return -1 end
redis.call('HINCRBY', KEYS[1], 'rev', 1)
local deletions = tonumber(ARGV[5])
for i = 6 + deletions, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = 6, 5 + deletions do redis.call('HDEL', KEYS[1], ARGV[i]) end
local open = 0
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if isOpen(field) then open = open + 1 end
end
if open > 0 then
  redis.call('PERSIST', KEYS[1])
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
else
  if tonumber(ARGV[4]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[4]) else redis.call('PERSIST', KEYS[1]) end
  redis.call('ZREM', KEYS[2], ARGV[1])
end
return open`;

/** The settled mark and whether anything is open. KEYS entry. */
const STANDING = `
${IS_OPEN}
local open = 0
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if isOpen(field) then open = 1 end
end
return { redis.call('HGET', KEYS[1], 'settled'), open, redis.call('HGET', KEYS[1], 'withheld') }`;

/** KEYS entry, due; ARGV id, next look, then field value… */
const RECORD_KNOWN = `
if redis.call('HEXISTS', KEYS[1], 'object') == 0 then return 0 end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PERSIST', KEYS[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 1`;

/** KEYS entry, due; ARGV id. */
const FORGET = `if redis.call('HEXISTS', KEYS[1], 'object') == 0 then redis.call('ZREM', KEYS[2], ARGV[1]) end`;

/** Hands out what is due, and makes it due again later in case its taker dies. KEYS due; ARGV now, next, limit. */
const CLAIM = `
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], ARGV[2], id) end
return ids`;

/** The memory of attempts and proven states, one Redis hash for each object name. Holds sanitized content only. */
@Injectable()
export class LedgerService {
  constructor(
    @Inject(LEDGER_REDIS) private readonly redis: Redis,
    @Inject(LEDGER_OPTIONS) private readonly options: LedgerOptions,
  ) {}

  /**
   * Durable once it resolves (as durable as Redis is configured to be). Rejects at once while Redis is away.
   * @returns whether it was recorded: not where `ifKnown` is set, and nothing is known of the name
   */
  async record(id: string, record: LedgerRecord, now: number): Promise<boolean> {
    if (record.ifKnown === true) {
      const fields = Object.entries(encodeRecord(record)).flat();
      const argv = [id, now + FALLBACK_MS, ...fields];
      return (await this.redis.eval(RECORD_KNOWN, 2, this.entryKey(id), this.dueKey, ...argv)) === 1;
    }
    const results = await this.redis
      .multi()
      .hset(this.entryKey(id), encodeRecord(record))
      .persist(this.entryKey(id))
      .zadd(this.dueKey, now + FALLBACK_MS, id)
      .exec();
    const failure = results?.find(([error]) => error !== null)?.[0];
    if (failure) throw failure;
    return true;
  }

  async read(id: string): Promise<LedgerEntry | undefined> {
    return decodeEntry(await this.redis.hgetall(this.entryKey(id)));
  }

  /** Nobody has to look at a name of which nothing is known: what was known went with a Redis that was emptied. */
  async forgetUnknown(id: string): Promise<void> {
    await this.redis.eval(FORGET, 2, this.entryKey(id), this.dueKey, id);
  }

  /**
   * Replaces what `entry` held by `next`; what was recorded since stays. Looks that go on after `now` stay open.
   * @returns how many attempts and looks are open; they are due again at `nextLook` (ms since the epoch). Undefined, and nothing
   * changed, where another verdict was concluded since `entry` was read: by a replica that took over from one that paused.
   */
  async conclude(
    id: string,
    entry: LedgerEntry,
    next: LedgerView & { watchers: Watchers; withheld: Withheld | undefined },
    { now, nextLook }: { now: number; nextLook: number },
  ): Promise<number | undefined> {
    const keep: Record<string, string> = { watchers: JSON.stringify(next.watchers) };
    if (next.withheld !== undefined) keep['withheld'] = JSON.stringify(next.withheld);
    if (next.settled !== undefined) keep['settled'] = JSON.stringify(next.settled);
    for (const { uid, state } of next.states) keep[stateField(uid, state)] = stateFlags(state);
    const kept = new Set(['object', 'rev', ...Object.keys(keep)]);
    for (const { id: attempt } of next.attempts)
      kept
        .add(`a:${attempt}`)
        .add(`t:${attempt}`)
        .add(`t:${alternativeText(attempt)}`);
    for (const until of entry.looks) if (until > now) kept.add(lookField(until));
    const deletions = entry.fields.filter((field) => !kept.has(field));
    const changes = Object.entries(keep).flat();
    // What was withheld must stay so for as long as the object is not changed again.
    const keepSettledMs = next.settled?.gone === true ? KEEP_GONE_MS : KEEP_MS;
    const keepMs = next.withheld === undefined ? keepSettledMs : 0;
    const argv = [id, entry.revision, nextLook, keepMs, deletions.length, ...deletions, ...changes];
    const open = Number(await this.redis.eval(CONCLUDE, 2, this.entryKey(id), this.dueKey, ...argv));
    return open < 0 ? undefined : open;
  }

  /** Puts a verdict off until `nextLook` (ms since the epoch), and notes why. */
  async putOff(id: string, doubt: Doubt | undefined, nextLook: number): Promise<void> {
    const work = this.redis.multi().zadd(this.dueKey, nextLook, id);
    if (doubt !== undefined) work.hset(this.entryKey(id), 'doubt', JSON.stringify(doubt));
    const results = await work.exec();
    const failure = results?.find(([error]) => error !== null)?.[0];
    if (failure) throw failure;
  }

  /** Names that are due to be looked at; each is handed to one caller for `leaseMs`. */
  async claimDue(now: number, leaseMs: number, limit: number): Promise<string[]> {
    return (await this.redis.eval(CLAIM, 1, this.dueKey, now, now + leaseMs, limit)) as string[];
  }

  /** How far names are decided: many in one round trip, in their order. */
  async standings(ids: string[]): Promise<Standing[]> {
    const pipeline = this.redis.pipeline();
    for (const id of ids) pipeline.eval(STANDING, 1, this.entryKey(id));
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, result]) => {
      if (error) throw error;
      const [settled, open, withheld] = result as [string | null, number, string | null];
      return {
        settled: settled === null ? undefined : (JSON.parse(settled) as SettledMark),
        open: open === 1,
        withheld: withheld === null ? undefined : (JSON.parse(withheld) as Withheld),
      };
    });
  }

  /** How many names wait for a verdict. */
  async countUndecided(): Promise<number> {
    return this.redis.zcard(this.dueKey);
  }

  private entryKey(id: string): string {
    return `${this.options.prefix}:ledger:${id}`;
  }

  private get dueKey(): string {
    return `${this.options.prefix}:ledger-due`;
  }
}
