import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis as RedisClient } from 'ioredis';
import type { Attempt, ObjectRef, ProvenState } from '#domain';
import { LEDGER_OPTIONS, LEDGER_REDIS, LedgerModule, LedgerService, objectKey } from '#ledger';
import type { LedgerEntry, LedgerRecord } from '#ledger';
import { startRedis, type Redis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

const NOW = 1_800_000_000_000;
const NEXT = NOW + 10_000;
const NOTHING = { attempts: [], states: [], watchers: { UPDATE: [], DELETE: [] }, withheld: undefined };

const ref = (name: string): ObjectRef => ({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  namespace: 'ns',
  name,
  uid: `uid-${name}`,
});
const attempt = (id: string, base: string, fields: Partial<Attempt> = {}): Attempt => ({
  id,
  operation: 'UPDATE',
  object: ref('app'),
  base,
  target: { content: `content-${id}`, fingerprint: `print-${id}` },
  user: 'alice',
  admittedAt: NOW + Number(base),
  wantedBy: [{ namespace: 'ns', name: 'repository' }],
  content: `text of ${id}\n`,
  ...fields,
});
const state = (version: string): ProvenState => ({
  version,
  content: `state-${version}`,
  fingerprint: `print-${version}`,
  dying: false,
});
const update = (id: string, base: string): LedgerRecord => ({
  object: ref('app'),
  attempt: attempt(id, base),
  base: { uid: 'uid-app', state: state(base), content: `text at ${base}\n` },
});

describe('the ledger', () => {
  let redis: Redis;
  let client: RedisClient;
  let module: TestingModule;
  let ledger: LedgerService;
  let prefix: string;
  const id = objectKey(ref('app'));

  beforeAll(async () => {
    redis = await startRedis();
    client = new RedisClient(redis.url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 50,
    });
    client.on('error', () => undefined);
    await new Promise((resolve) => client.once('ready', resolve));
  });
  afterAll(async () => {
    client.disconnect();
    await redis.remove();
  });
  beforeEach(async () => {
    prefix = `test-${randomUUID()}`;
    module = await Test.createTestingModule({
      imports: [
        LedgerModule.register({
          providers: [
            { provide: LEDGER_REDIS, useValue: client },
            { provide: LEDGER_OPTIONS, useValue: { prefix } },
          ],
        }),
      ],
    }).compile();
    ledger = module.get(LedgerService);
  });

  async function readEntry(): Promise<LedgerEntry> {
    const entry = await ledger.read(id);
    if (entry === undefined) throw new Error('The ledger holds nothing about the object.');
    return entry;
  }
  const attemptIds = (entry: LedgerEntry): string[] => entry.view.attempts.map((each) => each.id);

  it('knows nothing about an object that it never heard of', async () => {
    expect(await ledger.read(id)).toBeUndefined();
    expect(await ledger.countUndecided()).toBe(0);
  });

  it('gives back what was recorded: attempts in the order of admission, states, and their texts', async () => {
    await ledger.record(id, update('b', '2'), NOW);
    await ledger.record(id, update('a', '1'), NOW);
    const entry = await readEntry();
    expect(entry.object).toEqual(ref('app'));
    expect(attemptIds(entry)).toEqual(['a', 'b']);
    const { content: _text, ...plain } = attempt('a', '1');
    expect(entry.view.attempts[0]).toEqual(plain);
    expect(entry.view.states.map(({ state: { version } }) => version).sort()).toEqual(['1', '2']);
    expect(entry.contents.get('a')).toBe('text of a\n');
    expect(entry.contents.get('2/state-2')).toBe('text at 2\n');
    expect(entry.looks).toEqual([]);
  });

  it('counts one attempt that is recorded twice as one', async () => {
    await ledger.record(id, update('a', '1'), NOW);
    await ledger.record(id, update('a', '1'), NOW);
    expect(attemptIds(await readEntry())).toEqual(['a']);
  });

  it('takes what is only of use for a known name for no other', async () => {
    const record = { ...update('a', '1'), ifKnown: true };
    expect(await ledger.record(id, record, NOW)).toBe(false);
    expect(await ledger.read(id)).toBeUndefined();
    await ledger.record(id, update('b', '2'), NOW);
    expect(await ledger.record(id, record, NOW)).toBe(true);
    expect(attemptIds(await readEntry())).toEqual(['a', 'b']);
  });

  it('takes no verdict that another one has overtaken: from a replica that paused', async () => {
    await ledger.record(id, update('a', '1'), NOW);
    const paused = await readEntry();
    expect(await ledger.conclude(id, await readEntry(), NOTHING, { now: NOW, nextLook: NEXT })).toBe(0);
    await ledger.record(id, update('b', '2'), NOW);
    expect(await ledger.conclude(id, paused, NOTHING, { now: NOW, nextLook: NEXT })).toBeUndefined();
    expect(attemptIds(await readEntry())).toEqual(['b']);
  });

  it('keeps a look open for as long as it was asked for', async () => {
    await ledger.record(id, { object: ref('app'), lookUntil: NOW + 10 }, NOW);
    expect(await ledger.conclude(id, await readEntry(), NOTHING, { now: NOW, nextLook: NEXT })).toBe(1);
    expect(await ledger.conclude(id, await readEntry(), NOTHING, { now: NOW + 10, nextLook: NEXT })).toBe(0);
  });

  it('forgets a name that is due and of which nothing is known, and no other', async () => {
    await ledger.record(id, update('a', '1'), NOW);
    await ledger.forgetUnknown(id);
    expect(await ledger.countUndecided()).toBe(1);
    await ledger.putOff('unknown', undefined, NEXT);
    await ledger.forgetUnknown('unknown');
    expect(await ledger.countUndecided()).toBe(1);
  });

  it('keeps the text of a state that is recorded again with a newer version while an older one is concluded', async () => {
    const same = (version: string) => {
      const record = update(`at-${version}`, version);
      record.base!.state.content = 'same';
      return record;
    };
    await ledger.record(id, same('1'), NOW);
    const entry = await readEntry();
    await ledger.record(id, same('2'), NOW);
    await ledger.conclude(id, entry, NOTHING, { now: NOW, nextLook: NEXT });
    expect((await readEntry()).contents.get('2/same')).toBe('text at 2\n');
  });

  it('keeps what was recorded between reading and concluding', async () => {
    await ledger.record(id, update('a', '1'), NOW);
    const entry = await readEntry();
    await ledger.record(id, update('b', '2'), NOW);
    await ledger.record(id, { object: ref('app'), lookUntil: 0 }, NOW);
    const open = await ledger.conclude(id, entry, NOTHING, { now: NOW, nextLook: NEXT });
    expect(open).toBe(2);
    const after = await readEntry();
    expect(attemptIds(after)).toEqual(['b']);
    expect(after.contents.get('b')).toBe('text of b\n');
    expect(after.contents.has('a')).toBe(false);
    expect(after.looks).toEqual([0]);
    expect(await ledger.claimDue(NEXT, 1_000, 10)).toEqual([id]);
  });

  it('keeps the text of an attempt that is still pending, and the mark and watchers of what is settled', async () => {
    await ledger.record(id, update('a', '1'), NOW);
    await ledger.record(id, update('b', '2'), NOW);
    const entry = await readEntry();
    const pending = entry.view.attempts.filter((each) => each.id === 'b');
    const watchers = { UPDATE: [{ namespace: 'ns', name: 'repository' }], DELETE: [] };
    const states = entry.view.states.filter(({ state: { version } }) => version === '2');
    const open = await ledger.conclude(
      id,
      entry,
      { attempts: pending, states, watchers, withheld: undefined },
      { now: NOW, nextLook: NEXT },
    );
    expect(open).toBe(1);
    const after = await readEntry();
    expect(attemptIds(after)).toEqual(['b']);
    expect(after.contents.get('b')).toBe('text of b\n');
    expect(after.view.states.map(({ state: { version } }) => version)).toEqual(['2']);
    expect(after.watchers).toEqual(watchers);
  });

  it('is not due any more once nothing is open, and forgets the object after a while', async () => {
    await ledger.record(id, update('a', '1'), NOW);
    expect(await ledger.countUndecided()).toBe(1);
    const open = await ledger.conclude(id, await readEntry(), NOTHING, { now: NOW, nextLook: NEXT });
    expect(open).toBe(0);
    expect(await ledger.countUndecided()).toBe(0);
    expect(await ledger.claimDue(NEXT * 2, 1_000, 10)).toEqual([]);
    const [key] = await client.keys(`${prefix}:*${id}`);
    expect(await client.pttl(String(key))).toBeGreaterThan(3_600_000);
    await ledger.record(id, update('b', '2'), NOW);
    expect(await client.pttl(String(key))).toBe(-1); // what is open never expires
  });

  it('forgets an object that is gone much sooner', async () => {
    await ledger.record(id, update('a', '1'), NOW);
    const gone = { ...NOTHING, settled: { uid: 'u', version: '2', gone: true } };
    await ledger.conclude(id, await readEntry(), gone, { now: NOW, nextLook: NEXT });
    const [key] = await client.keys(`${prefix}:*${id}`);
    const left = await client.pttl(String(key));
    expect(left).toBeGreaterThan(5 * 60_000); // longer than any request lasts
    expect(left).toBeLessThan(3_600_000);
  });

  it('hands a name that is due to one taker, and again when that taker is not heard of', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => objectKey(ref(`app-${index}`)));
    for (const [index, each] of ids.entries()) {
      await ledger.record(each, { object: ref(`app-${index}`), lookUntil: 0 }, NOW);
    }
    expect(await ledger.claimDue(NOW, 1_000, 50)).toEqual([]); // their settle jobs come first
    const later = NOW + 60_000;
    const takes = await Promise.all(Array.from({ length: 10 }, () => ledger.claimDue(later, 1_000, 3)));
    expect(takes.flat()).toHaveLength(20);
    expect(new Set(takes.flat())).toEqual(new Set(ids));
    expect(await ledger.claimDue(later + 999, 1_000, 50)).toEqual([]);
    expect(new Set(await ledger.claimDue(later + 1_000, 1_000, 50))).toEqual(new Set(ids));
  });

  it('loses nothing of what many record while others conclude', async () => {
    const total = 200;
    const concluded = new Set<string>();
    let recording = true;
    const settling = (async (): Promise<void> => {
      while (recording || (await ledger.countUndecided()) > 0) {
        const entry = await ledger.read(id);
        if (entry === undefined) {
          await new Promise((resolve) => setImmediate(resolve));
          continue;
        }
        for (const each of attemptIds(entry)) {
          expect(entry.contents.get(each)).toBe(`text of ${each}\n`);
          concluded.add(each);
        }
        await ledger.conclude(id, entry, NOTHING, { now: NOW, nextLook: NEXT });
      }
    })();
    await Promise.all(
      Array.from({ length: total }, (_, index) => ledger.record(id, update(`event-${index}`, String(index)), NOW)),
    );
    recording = false;
    await settling;
    expect(concluded.size).toBe(total);
  });

  it('rejects a record at once while Redis is away', async () => {
    await redis.stop();
    try {
      await waitFor('the connection to break', () => client.status !== 'ready');
      const started = Date.now();
      await expect(ledger.record(id, update('a', '1'), NOW)).rejects.toThrow();
      expect(Date.now() - started).toBeLessThan(500);
    } finally {
      await redis.start();
      await waitFor('the connection', () => client.status === 'ready');
    }
  });
});
