import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeObject } from '#domain';
import type { ControlPlane } from '../control-plane/index.ts';
import { ADMIN } from '../control-plane/index.ts';
import type { HistoryKind } from './kinds.ts';
import { collectionPath } from './write-client.ts';

/** One persisted version of one object, as the API server's own watch tells it. */
export interface ObservedVersion {
  kind: HistoryKind;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubeObject;
  version: string;
  /** When the watch told it, in ms since the epoch. */
  at: number;
}

export interface Observer {
  readonly versions: readonly ObservedVersion[];
  /** Why it can't be trusted any more, where that is so. */
  readonly problems: readonly string[];
  stop(): Promise<void>;
}

interface WatchLine {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: KubeObject;
}

/** Watches all kinds from their present version on, before anything is written; goes on after the last version when a stream ends. */
export async function startObserver(
  controlPlane: ControlPlane,
  kinds: readonly HistoryKind[],
  isOurs: (object: KubeObject) => boolean,
): Promise<Observer> {
  const agent = new Agent({ keepAlive: true, ca: readFileSync(controlPlane.caFile) });
  const versions: ObservedVersion[] = [];
  const problems: string[] = [];
  const stopper = new AbortController();
  const follow = async (kind: HistoryKind, since: string): Promise<void> => {
    for (let from = since; !stopper.signal.aborted;) {
      await stream(controlPlane, agent, kind, from, stopper.signal, (line) => {
        if (line.type === 'ERROR') {
          problems.push(`The watch of ${kind.resource} lost events: ${JSON.stringify(line.object)}`);
          stopper.abort();
          return;
        }
        from = line.object.metadata.resourceVersion ?? from;
        if (line.type === 'BOOKMARK' || !isOurs(line.object)) return;
        versions.push({ kind, type: line.type, object: line.object, version: from, at: Date.now() });
      });
      await pause(20);
    }
  };
  const starts = await Promise.all(kinds.map((kind) => presentVersion(controlPlane, kind)));
  const following = kinds.map((kind, index) => follow(kind, starts[index]!));
  return {
    versions,
    problems,
    stop: async () => {
      stopper.abort();
      await Promise.all(following);
      agent.destroy();
    },
  };
}

async function presentVersion(controlPlane: ControlPlane, kind: HistoryKind): Promise<string> {
  const admin = controlPlane.clientFor(ADMIN);
  const list = await admin.call<{ metadata: { resourceVersion: string } }>({
    method: 'GET',
    path: collectionPath(kind, undefined),
    query: { limit: '1' },
  });
  return list.metadata.resourceVersion;
}

/** One watch request, to its end. Never rejects: whoever called starts the next one. */
function stream(
  controlPlane: ControlPlane,
  agent: Agent,
  kind: HistoryKind,
  since: string,
  signal: AbortSignal,
  onLine: (line: WatchLine) => void,
): Promise<void> {
  const query = { watch: 'true', allowWatchBookmarks: 'true', resourceVersion: since, timeoutSeconds: '3000' };
  const url = new URL(`${collectionPath(kind, undefined)}?${new URLSearchParams(query).toString()}`, controlPlane.url);
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${controlPlane.tokenFor(ADMIN)}`, accept: 'application/json' };
    const call = request(url, { agent, headers, signal }, (response) => {
      const lines = createInterface({ input: response, crlfDelay: Infinity });
      lines.on('line', (line) => onLine(JSON.parse(line) as WatchLine));
      lines.once('error', () => resolve()); // the stream was ended, here or there
      lines.once('close', resolve);
      response.once('error', () => resolve());
    });
    call.once('error', () => resolve());
    call.end();
  });
}
