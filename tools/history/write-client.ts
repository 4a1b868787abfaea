import type { KubeObject } from '#domain';
import type { ControlPlane } from '../control-plane/index.ts';
import type { KubeAnswer, KubeRequest } from '../kube/kube-client.ts';
import type { HistoryKind } from './kinds.ts';

/** One request of one user and what the API server answered: who wrote which version. */
export interface WriteRecord {
  /** Also the marker that a write leaves in the object. */
  id: number;
  user: string;
  verb: string;
  resource: string;
  namespace: string | undefined;
  /** Absent for a collection. */
  name: string | undefined;
  dryRun: boolean;
  startedAt: number;
  endedAt: number;
  /** 0: no answer, outcome unknown. */
  status: number;
  /** Of the object in the answer. */
  uid: string | undefined;
  version: string | undefined;
  /** Uids that a deletion of a collection names. */
  deleted: string[];
  error: string | undefined;
}

/** Where an object is, to be written. */
export interface Target {
  kind: HistoryKind;
  namespace: string | undefined;
  name: string;
}

export interface Write {
  user: string;
  verb: string;
  target: { kind: HistoryKind; namespace: string | undefined; name?: string };
  method: string;
  subresource?: string;
  body?: unknown;
  contentType?: string;
  query?: Record<string, string>;
  dryRun?: boolean;
  /** Through another served version. */
  version?: string;
}

export function collectionPath(kind: HistoryKind, namespace: string | undefined, version = kind.version): string {
  const base = kind.group === '' ? `/api/${version}` : `/apis/${kind.group}/${version}`;
  return `${base}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${kind.resource}`;
}

/** Sends writes as users and keeps a record of each. */
export class WriteClient {
  readonly records: WriteRecord[] = [];
  private readonly controlPlane: ControlPlane;
  private readonly run: string;
  private sequence = 0;

  /** @param run a name of which audit ids are made */
  constructor(controlPlane: ControlPlane, run: string) {
    this.controlPlane = controlPlane;
    this.run = run;
  }

  /** The id of the next write: to be left in the object as its marker. */
  nextId(): number {
    return (this.sequence += 1);
  }

  async write(id: number, write: Write): Promise<KubeAnswer> {
    const { target, dryRun = false } = write;
    const startedAt = Date.now();
    const fieldManager = write.method === 'DELETE' ? {} : { fieldManager: managerOf(write.user) };
    const request: KubeRequest = {
      method: write.method,
      path: pathOf(write),
      query: { ...write.query, ...fieldManager, ...(dryRun && { dryRun: 'All' }) },
      body: write.body,
      auditId: auditIdOf(this.run, id),
      ...(write.contentType !== undefined && { contentType: write.contentType }),
    };
    const answer = await this.controlPlane
      .clientFor(write.user)
      .try(request)
      .catch((error: Error): KubeAnswer => ({ status: 0, body: { message: error.message } }));
    const { resource } = target.kind;
    const written = readAnswer(answer);
    this.records.push({
      ...{ id, user: write.user, verb: write.verb, resource, namespace: target.namespace, name: target.name, dryRun },
      ...{ startedAt, endedAt: Date.now(), status: answer.status, ...written },
    });
    return answer;
  }

  /** The object as a user reads it; nothing where it is not there. */
  async read(user: string, target: Target, version?: string): Promise<KubeObject | undefined> {
    const path = pathOf({ target, ...(version !== undefined && { version }) });
    const answer = await this.controlPlane.clientFor(user).try({ method: 'GET', path });
    return answer.status === 200 ? (answer.body as KubeObject) : undefined;
  }
}

/** The field manager of a user's writes. */
export function managerOf(user: string): string {
  return `${user.replace(/[^a-z]/g, '-')}-editor`;
}

export function auditIdOf(run: string, id: number): string {
  return `${run}-${id}`;
}

function pathOf({ target, subresource, version }: Pick<Write, 'target' | 'subresource' | 'version'>): string {
  const parts = [collectionPath(target.kind, target.namespace, version)];
  if (target.name !== undefined) parts.push(target.name);
  if (subresource !== undefined) parts.push(subresource);
  return parts.join('/');
}

interface AnyAnswer {
  kind?: string;
  metadata?: { uid?: string; resourceVersion?: string };
  details?: { uid?: string };
  items?: { metadata?: { uid?: string } }[];
  message?: string;
}

function readAnswer({ status, body }: KubeAnswer): Pick<WriteRecord, 'uid' | 'version' | 'deleted' | 'error'> {
  const answer = (typeof body === 'object' && body !== null ? body : {}) as AnyAnswer;
  const failed = status < 200 || status > 299;
  return {
    uid: failed ? undefined : (answer.metadata?.uid ?? answer.details?.uid),
    version: failed ? undefined : answer.metadata?.resourceVersion,
    deleted: (answer.items ?? []).flatMap((item) => item.metadata?.uid ?? []),
    error: failed ? (answer.message ?? '').slice(0, 200) : undefined,
  };
}
