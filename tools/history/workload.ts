import { setTimeout as pause } from 'node:timers/promises';
import type { KubeObject } from '#domain';
import { apiVersionOf } from '#domain';
import { KINDS, type HistoryKind } from './kinds.ts';
import type { Random } from './random.ts';
import type { Target, Write, WriteClient } from './write-client.ts';

/** The annotation in which a write leaves its id: tells whose a version is. */
export const MARKER = 'history.example.com/request';
/** With the value `off`, an object is outside the rules' selection. */
export const AUDIT_LABEL = 'history.example.com/audit';
export const RUN_LABEL = 'history.example.com/run';
const GROUP_LABEL = 'history.example.com/group';
const FINALIZER = 'history.example.com/hold';

/** Excluded by the rules: its writes happen, and are nobody's commits. */
export const EXCLUDED_USER = 'robot';
export const USERS = ['admin@company.com', 'alice', 'bob@example.com', 'carol', 'dave@example.com'] as const;

export interface WorkloadOptions {
  run: string;
  namespace: string;
  /** A namespace whose quota takes no more ConfigMaps. */
  fullNamespace: string;
  /** Loops that write side by side. */
  writers: number;
  /** Objects of each kind that they share. */
  objects: number;
  /** Longest pause of a writer between two writes, in ms. */
  longestPauseMs: number;
  /** Writers end once it is aborted. */
  signal: AbortSignal;
}

/** What a writer does next, and how often. */
const ACTIONS = {
  create: 12,
  createGenerated: 3,
  createOverQuota: 1,
  mergePatch: 24,
  plainPatch: 10,
  jsonPatch: 8,
  apply: 8,
  applySame: 5,
  replace: 8,
  replaceStale: 4,
  replaceBlindly: 3,
  dryRun: 4,
  scale: 6,
  writeStatus: 6,
  leaveOrReturn: 5,
  hold: 3,
  release: 8,
  remove: 7,
  removeCollection: 1,
} as const;
type Action = keyof typeof ACTIONS;

/** Writers that work on the same few objects until the signal; which action comes when is the seed's choice. */
export async function runWorkload(client: WriteClient, random: Random, options: WorkloadOptions): Promise<void> {
  const writers = Array.from(
    { length: options.writers },
    (_, index) => new Writer(client, random.fork(index), options),
  );
  await Promise.all(writers.map((writer) => writer.run()));
}

class Writer {
  private readonly client: WriteClient;
  private readonly random: Random;
  private readonly options: WorkloadOptions;
  /** States that were read a while ago. */
  private readonly old = new Map<string, KubeObject>();
  private readonly generated: Target[] = [];

  constructor(client: WriteClient, random: Random, options: WorkloadOptions) {
    this.client = client;
    this.random = random;
    this.options = options;
  }

  async run(): Promise<void> {
    while (!this.options.signal.aborted) {
      await this.act(this.random.weighted<Action>(ACTIONS));
      await pause(this.random.below(this.options.longestPauseMs + 1));
    }
  }

  private async act(action: Action): Promise<void> {
    const user = this.random.chance(0.1) ? EXCLUDED_USER : this.random.pick(USERS);
    const target = this.pickTarget();
    const id = this.client.nextId();
    switch (action) {
      case 'create':
        return this.send(id, { user, verb: 'create', method: 'POST', target, body: this.manifest(target, id) });
      case 'createGenerated':
        return this.createGenerated(id, user);
      case 'createOverQuota':
        return this.createOverQuota(id, user);
      case 'mergePatch':
        return this.merge(id, user, target, { ...target.kind.patch(this.random), metadata: this.marked(id) });
      case 'plainPatch':
        return this.merge(id, user, target, target.kind.patch(this.random));
      case 'jsonPatch':
        return this.jsonPatch(id, user, target);
      case 'apply':
        return this.apply(id, user, target, this.manifest(target, id));
      case 'applySame':
        return this.apply(id, user, target, this.ownManifest(target, user));
      case 'replace':
        return this.replace(id, user, target, 'fresh');
      case 'replaceStale':
        return this.replace(id, user, target, 'stale');
      case 'replaceBlindly':
        return this.replace(id, user, target, 'blind');
      case 'dryRun':
        return this.dryRun(id, user, target);
      case 'scale':
        return this.scale(id, user);
      case 'writeStatus':
        return this.writeStatus(id, user);
      case 'leaveOrReturn': {
        const labels = { [AUDIT_LABEL]: this.random.chance(0.4) ? 'off' : null };
        return this.merge(id, user, target, { metadata: { ...this.marked(id), labels } });
      }
      case 'hold':
        return this.merge(id, user, target, { metadata: { ...this.marked(id), finalizers: [FINALIZER] } });
      case 'release':
        return this.release(id, user, target);
      case 'remove':
        return this.send(id, { user, verb: 'delete', method: 'DELETE', target: this.pickRemoval(target) });
      case 'removeCollection':
        return this.removeCollection(id, user, target);
    }
  }

  private pickTarget(kind: HistoryKind = this.random.pick(KINDS)): Target {
    const name = `${this.options.run}-${this.random.below(this.options.objects)}`;
    return { kind, namespace: kind.namespaced ? this.options.namespace : undefined, name };
  }

  private pickRemoval(target: Target): Target {
    return this.generated.length > 0 && this.random.chance(0.4) ? this.generated.shift()! : target;
  }

  private marked(id: number): { annotations: Record<string, string> } {
    return { annotations: { [MARKER]: String(id) } };
  }

  private manifest({ kind, namespace, name }: Target, id: number, version?: string): KubeObject {
    const labels = { [RUN_LABEL]: this.options.run, [GROUP_LABEL]: String(this.random.below(2)) };
    return {
      apiVersion: apiVersionOf({ group: kind.group, version: version ?? kind.version }),
      kind: kind.kind,
      metadata: { name, ...(namespace !== undefined && { namespace }), labels, ...this.marked(id) },
      ...kind.body(this.random),
    };
  }

  /** What a user applies again and again: without a marker, so that a second time is none. */
  private ownManifest(target: Target, user: string): KubeObject {
    const { metadata, ...rest } = this.manifest(target, 0);
    const annotations = { 'history.example.com/applied-by': user.replace(/[^a-z]/g, '-') };
    return { ...rest, metadata: { ...metadata, annotations } };
  }

  private async send(id: number, write: Write): Promise<void> {
    const { otherVersion } = write.target.kind;
    const other = otherVersion !== undefined && write.subresource === undefined && this.random.chance(0.4);
    const object = write.body as KubeObject | undefined;
    const named = object?.apiVersion !== undefined;
    const body = other && named ? { ...object, apiVersion: `${write.target.kind.group}/${otherVersion}` } : write.body;
    const target = write.method === 'POST' ? withoutName(write.target) : write.target;
    await this.client.write(id, { ...write, target, body, ...(other && { version: otherVersion }) });
  }

  private async createGenerated(id: number, user: string): Promise<void> {
    const target = this.pickTarget();
    const body = this.manifest(target, id);
    const { name: _name, ...metadata } = body.metadata;
    const answer = await this.client.write(id, {
      ...{ user, verb: 'create', method: 'POST', target: withoutName(target) },
      body: { ...body, metadata: { ...metadata, generateName: `${this.options.run}-generated-` } },
    });
    const name = (answer.body as Partial<KubeObject>).metadata?.name;
    if (answer.status === 201 && name !== undefined) this.generated.push({ ...target, name });
  }

  private async createOverQuota(id: number, user: string): Promise<void> {
    const target = { ...this.pickTarget(KINDS[0]), namespace: this.options.fullNamespace };
    await this.send(id, { user, verb: 'create', method: 'POST', target, body: this.manifest(target, id) });
  }

  private async merge(id: number, user: string, target: Target, body: object): Promise<void> {
    const contentType = 'application/merge-patch+json';
    await this.send(id, { user, verb: 'patch', method: 'PATCH', target, body, contentType });
  }

  private async apply(id: number, user: string, target: Target, body: KubeObject): Promise<void> {
    const contentType = 'application/apply-patch+yaml';
    const query = { force: 'true' };
    await this.send(id, { user, verb: 'apply', method: 'PATCH', target, body, contentType, query });
  }

  private async jsonPatch(id: number, user: string, target: Target): Promise<void> {
    const path = `/metadata/annotations/${MARKER.replace('/', '~1')}`;
    const body = [{ op: 'add', path, value: String(id) }];
    const contentType = 'application/json-patch+json';
    await this.send(id, { user, verb: 'patch', method: 'PATCH', target, body, contentType });
  }

  private async replace(id: number, user: string, target: Target, how: 'fresh' | 'stale' | 'blind'): Promise<void> {
    const key = `${target.kind.kind}/${target.name}`;
    const live = await this.client.read(user, target);
    const from = how === 'stale' ? (this.old.get(key) ?? live) : live;
    if (live !== undefined) this.old.set(key, live);
    if (from === undefined) return;
    const annotations = { ...from.metadata.annotations, [MARKER]: String(id) };
    const { resourceVersion, ...metadata } = from.metadata;
    const body = {
      ...from,
      metadata: { ...metadata, annotations, ...(how !== 'blind' && resourceVersion && { resourceVersion }) },
    };
    await this.send(id, { user, verb: 'replace', method: 'PUT', target, body });
  }

  private async dryRun(id: number, user: string, target: Target): Promise<void> {
    const dryRun = true;
    if (this.random.chance(0.3)) {
      return this.send(id, { user, verb: 'delete', method: 'DELETE', target, dryRun });
    }
    const contentType = 'application/merge-patch+json';
    const body = { metadata: this.marked(id) };
    return this.send(id, { user, verb: 'patch', method: 'PATCH', target, body, contentType, dryRun });
  }

  /** The number of replicas is the write's id: its marker where no annotation can be left. */
  private async scale(id: number, user: string): Promise<void> {
    const target = this.pickTarget(KINDS.find(({ scalable }) => scalable));
    const contentType = 'application/merge-patch+json';
    const body = { spec: { replicas: id } };
    await this.send(id, { user, verb: 'scale', method: 'PATCH', target, subresource: 'scale', body, contentType });
  }

  private async writeStatus(id: number, user: string): Promise<void> {
    const target = this.pickTarget(this.random.pick(KINDS.filter(({ hasStatus }) => hasStatus)));
    const status = target.kind.scalable ? { observedGeneration: id } : { phase: `phase-${id}` };
    const contentType = 'application/merge-patch+json';
    const body = { status };
    await this.send(id, { user, verb: 'status', method: 'PATCH', target, subresource: 'status', body, contentType });
  }

  private async release(id: number, user: string, target: Target): Promise<void> {
    const live = await this.client.read(user, target);
    if ((live?.metadata.finalizers ?? []).length === 0) return;
    await this.merge(id, user, target, { metadata: { finalizers: null } });
  }

  private async removeCollection(id: number, user: string, { kind, namespace }: Target): Promise<void> {
    const labelSelector = `${RUN_LABEL}=${this.options.run},${GROUP_LABEL}=${this.random.below(2)}`;
    const target = { kind, namespace };
    await this.client.write(id, { user, verb: 'deletecollection', method: 'DELETE', target, query: { labelSelector } });
  }
}

function withoutName({ kind, namespace }: Write['target']): Write['target'] {
  return { kind, namespace };
}
