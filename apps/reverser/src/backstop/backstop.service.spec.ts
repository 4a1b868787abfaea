import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { KubeObject } from '#domain';
import type { InformerFactory, InformerOptions } from '#k8s';
import type { LedgerAttempt, LedgerRecord, LedgerService, LedgerView, Standing } from '#ledger';
import type { RulesService } from '#rules';
import type { LedgerWriter } from '../capture/ledger-writer.service.ts';
import type { Namespaces } from '../capture/namespaces.service.ts';
import type { RecordArrivals } from '../capture/record-arrivals.service.ts';
import type { UnannouncedChanges } from '../capture/unannounced-changes.service.ts';

// nestjs-otel is CommonJS and requires Nest's ES modules: those must be there before it is.
await import('@nestjs/common');
const { Backstop } = await import('./backstop.service.ts');

const CONFIG_MAPS = { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespaced: true };
const REPOSITORY = { namespace: 'team', name: 'audit' };
const objectAt = (version: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'app', namespace: 'shop', uid: 'u', resourceVersion: version },
});

/** The backstop, with what the cluster and its rules say in a test's hands. */
class Scene {
  labels: Record<string, string> | 'unknown' = {};
  standing: Standing | undefined;
  view: LedgerView = { attempts: [], states: [] };
  readonly written: LedgerRecord[] = [];
  private options: InformerOptions<unknown> | undefined;
  readonly backstop = new Backstop(
    {
      createInformer: (options: InformerOptions<unknown>) => {
        this.options = options;
        return { synced: Promise.resolve(), stop: () => Promise.resolve() };
      },
    } as unknown as InformerFactory,
    {
      match: () => ({ wantedBy: this.labels === 'unknown' ? [] : [REPOSITORY], undecided: this.labels === 'unknown' }),
    } as unknown as RulesService,
    { labelsOf: () => Promise.resolve(this.labels) } as unknown as Namespaces,
    {
      standings: (ids: string[]) => Promise.resolve(ids.map(() => this.standing)),
      read: () => Promise.resolve({ view: this.view }),
    } as unknown as LedgerService,
    { write: (record: LedgerRecord) => Promise.resolve(this.written.push(record)) } as unknown as LedgerWriter,
    { count: () => undefined } as unknown as UnannouncedChanges,
    { now: () => Date.now(), arrived: () => ({ redisSince: 0, upTo: Date.now() }) } as unknown as RecordArrivals,
  );

  async start(): Promise<void> {
    this.backstop.start();
    this.backstop.follow([CONFIG_MAPS]);
    await jest.advanceTimersByTimeAsync(1);
  }

  sees(object: KubeObject): void {
    this.options?.onAdd?.(this.options.transform?.(object));
  }

  seesTheEndOf(object: KubeObject): void {
    this.options?.onDelete?.(this.options.transform?.(object));
  }
}

describe('Backstop', () => {
  let scene: Scene;
  beforeEach(async () => {
    jest.useFakeTimers();
    scene = new Scene();
    await scene.start();
  });
  afterEach(async () => {
    await scene.backstop.onApplicationShutdown();
    jest.useRealTimers();
  });

  it('asks for a look at what no record explains, once a call had time to be recorded', async () => {
    scene.sees(objectAt('7'));
    await jest.advanceTimersByTimeAsync(4_000);
    expect(scene.written).toEqual([]);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(scene.written).toMatchObject([{ object: { name: 'app' }, watchers: { UPDATE: [REPOSITORY] } }]);
  });

  it('proves a creation of which nobody saw a state by the end of the object', async () => {
    const attempt = { id: 'a', operation: 'CREATE', base: null, object: { uid: 'u' } } as LedgerAttempt;
    scene.standing = { settled: undefined, open: true, withheld: undefined };
    scene.view = { attempts: [attempt], states: [] };
    scene.seesTheEndOf(objectAt('9'));
    await jest.advanceTimersByTimeAsync(6_000);
    expect(scene.written).toMatchObject([{ base: { uid: 'u', state: { version: '9', content: '' } } }]);
  });

  it('waits while the ledger still decides about states that it knows', async () => {
    scene.standing = { settled: undefined, open: true, withheld: undefined };
    scene.seesTheEndOf(objectAt('9'));
    await jest.advanceTimersByTimeAsync(12_000);
    expect(scene.written).toEqual([]);
  });

  it('does not forget an object whose namespace can not be read when it is seen', async () => {
    scene.labels = 'unknown';
    scene.sees(objectAt('7'));
    await jest.advanceTimersByTimeAsync(12_000);
    expect(scene.written).toEqual([]);
    scene.labels = {};
    await jest.advanceTimersByTimeAsync(6_000);
    expect(scene.written).toHaveLength(1);
  });
});
