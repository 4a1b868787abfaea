import { describe, expect, it } from '@jest/globals';
import type { KubeObject, ObjectRef } from '#domain';
import type { KubeApi } from '#k8s';
import type { LedgerEntry, LedgerService, SettledMark } from '#ledger';
import type { RepositoryQueues } from '#queue';
import type { RecordArrivals } from '../capture/record-arrivals.service.ts';
import type { UnannouncedChanges } from '../capture/unannounced-changes.service.ts';
import type { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import type { SelectedTypes } from '../selection/selected-types.service.ts';
import type { ObjectHistory } from './object-history.service.ts';
import type { ObjectReader } from './object-reader.service.ts';

// nestjs-otel is CommonJS and requires Nest's ES modules: those must be there before it is.
const { Logger } = await import('@nestjs/common');
const { Settler } = await import('./settler.service.ts');
Logger.overrideLogger(false);

const REF: ObjectRef = {
  group: 'example.com',
  version: 'v1beta1',
  kind: 'Thing',
  resource: 'things',
  name: 'a',
  uid: 'u',
};

function liveAt(version: string): KubeObject {
  return { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a', uid: 'u', resourceVersion: version } };
}

/** One name, settled up to a version, with a cluster and a ledger in a test's hands. */
class Scene {
  live = liveAt('6');
  revision = '1';
  settled: SettledMark = { uid: 'u', version: '6', gone: false };
  /** What happens while the object is read. */
  meanwhile: () => void = () => undefined;
  readonly asked: string[] = [];
  readonly concluded: { settled?: SettledMark | undefined }[] = [];
  restored = 0;

  async settle(): Promise<void> {
    const settler = new Settler(
      {
        readLive: ({ version }: ObjectRef) => {
          this.asked.push(version);
          const { live } = this;
          this.meanwhile();
          return Promise.resolve(live);
        },
      } as unknown as KubeApi,
      {
        read: () => Promise.resolve(this.entry()),
        conclude: (_id: string, _entry: LedgerEntry, next: { settled?: SettledMark }) => {
          this.concluded.push(next);
          return Promise.resolve(0);
        },
      } as unknown as LedgerService,
      { enqueue: () => Promise.resolve() } as unknown as RepositoryQueues,
      {
        stateOf: (ref: ObjectRef, { metadata }: KubeObject) =>
          Promise.resolve({
            ref,
            state: { version: metadata.resourceVersion, content: 'c', fingerprint: 'f', dying: false },
            content: 'text',
            watchers: { UPDATE: [], DELETE: [] },
          }),
      } as unknown as ObjectReader,
      { extend: () => Promise.resolve(undefined) } as unknown as ObjectHistory,
      { find: () => ({ version: 'v1' }) } as unknown as SelectedTypes,
      { eventProcessed: () => undefined } as unknown as ReverserMetrics,
      { now: () => Date.now(), arrived: () => ({ redisSince: 0, upTo: Infinity }) } as unknown as RecordArrivals,
      { count: () => undefined } as unknown as UnannouncedChanges,
    );
    settler.onRestored = () => (this.restored += 1);
    await settler.settle('id');
  }

  private entry(): LedgerEntry {
    const { version } = this.settled;
    const state = { version, content: 'c', fingerprint: 'f', dying: false };
    return {
      object: REF,
      view: { attempts: [], states: [{ uid: 'u', state }], settled: this.settled },
      contents: new Map(),
      looks: [],
      revision: this.revision,
      doubt: undefined,
      watchers: { UPDATE: [], DELETE: [] },
      withheld: undefined,
      fields: [],
    };
  }
}

describe('Settler', () => {
  it('takes the verdict of a replica that was faster for no restored cluster', async () => {
    const scene = new Scene();
    scene.meanwhile = () => {
      // Another replica settles two more versions while this one pauses, with the older one in its hands.
      scene.live = liveAt('9');
      scene.revision = '2';
      scene.settled = { uid: 'u', version: '9', gone: false };
    };
    await scene.settle();
    expect(scene.restored).toBe(0);
    expect(scene.concluded.map(({ settled }) => settled?.version)).toEqual(['9']);
  });

  it('notices a restored cluster', async () => {
    const scene = new Scene();
    scene.settled = { uid: 'u', version: '9', gone: false };
    await scene.settle();
    expect(scene.restored).toBe(1);
  });

  it('reads an object in the version that is served now, not in the one in which it was recorded', async () => {
    const scene = new Scene();
    await scene.settle();
    expect(scene.asked).toEqual(['v1']);
  });
});
