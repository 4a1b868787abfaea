import { Injectable } from '@nestjs/common';
import type { KubeObject, ObjectRef, RepositoryKey } from '#domain';
import { KubeApi, objectPath } from '#k8s';
import { DEFAULT_PROOF_LIMITS } from '#ledger';
import { RulesService } from '#rules';
import { SanitizerService } from '#sanitizer';
import { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import { SelectedTypes } from '../selection/selected-types.service.ts';
import { applyReplicas, readReplicas, REPLICAS_PATH, replicasPathOf } from './apply-replicas.ts';
import { buildRecord } from './build-record.ts';
import type { ClassifiedRequest } from './classify-request.ts';
import { isSelected, skipReason } from './is-selected.ts';
import { LedgerWriter } from './ledger-writer.service.ts';
import { matchFacts } from './match-facts.ts';
import type { Writer } from './match-facts.ts';
import { Namespaces } from './namespaces.service.ts';

type Scale = Extract<ClassifiedRequest, { kind: 'scale' }>;
const CUSTOM_RESOURCES = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };
/** Field managers of `kubectl scale` and of the HorizontalPodAutoscaler, which names none in its request. */
const PERSON = 'kubectl';
const AUTOSCALER = 'kube-controller-manager';
/** A scale's object: the call is answered at its deadline, and recorded when the object was read. */
const PARENT_LIMIT_MS = 5_000;
/** For reads during admission: inside the server's deadline. */
const READ_LIMIT_MS = 300;

interface ScaleCall {
  id: string;
  /** The object, not its Scale. */
  ref: ObjectRef;
  scale: Scale;
  writer: Writer;
  admittedAt: number;
}

/** Turns calls of the scale subresource, which carry a Scale and not the object, into ledger records about the object. */
@Injectable()
export class ScaleRecorder {
  constructor(
    private readonly api: KubeApi,
    private readonly rules: RulesService,
    private readonly sanitizer: SanitizerService,
    private readonly namespaces: Namespaces,
    private readonly types: SelectedTypes,
    private readonly writer: LedgerWriter,
    private readonly metrics: ReverserMetrics,
  ) {}

  /** The object with the new replicas, where it is still in the version that the call started from; else observed. */
  async record(id: string, scale: Scale, writer: Writer, admittedAt: number): Promise<void> {
    const type = this.types.find(scale.group, scale.resource);
    if (type === undefined) return this.countSkip('UPDATE', 'resource-not-selected');
    const { group, version, kind, resource } = type;
    const ref: ObjectRef = {
      group,
      version,
      kind,
      resource,
      ...(type.namespaced && { namespace: scale.namespace }),
      name: scale.name,
      uid: scale.uid,
    };
    const [parent, path] = await Promise.all([
      this.api.readLive(ref, AbortSignal.timeout(PARENT_LIMIT_MS)).catch(() => undefined),
      this.findReplicas(ref),
    ]);
    const call = { id, ref, scale, writer, admittedAt };
    if (parent?.metadata.uid !== scale.uid) return this.recordUnread(call);
    if (parent.metadata.resourceVersion === scale.version) return this.recordRead(call, parent, path);
    // By another write where it has another number: then this scale was in vain, or comes later.
    if (readReplicas(parent, path) !== scale.replicas) return this.recordUnread(call);
    await this.recordStored(call, parent);
  }

  /** What became of the call is seen by looking at the object. */
  private async recordUnread({ ref, admittedAt }: ScaleCall): Promise<void> {
    await this.writer.write({ object: ref, lookUntil: lookUntilOf(admittedAt) });
  }

  /**
   * The object has another version by now, and the number that is asked for: by this very scale, as when the call was answered
   * at its deadline. The proof decides.
   */
  private async recordStored(call: ScaleCall, parent: KubeObject): Promise<void> {
    const wantedBy = await this.wantedBy(call, parent);
    if (wantedBy === undefined) return;
    const { content, digest } = this.sanitizer.sanitize(parent);
    const asked = { content, digest: { content: digest.content, fingerprint: '' } };
    const record = buildRecord({ ...attemptOf(call), wantedBy, old: undefined, asked });
    const attempt = record.attempt && { ...record.attempt, base: call.scale.version };
    await this.writer.write({ ...record, ...(attempt && { attempt }), lookUntil: lookUntilOf(call.admittedAt) });
  }

  private async recordRead(call: ScaleCall, parent: KubeObject, path: readonly string[]): Promise<void> {
    const { replicas } = call.scale;
    // Who owns the number decides whether the file holds it, and a client need not say by which manager it writes.
    const asked = applyReplicas(parent, path, replicas, call.writer.fieldManager || PERSON);
    const wantedBy = await this.wantedBy(call, asked);
    if (wantedBy === undefined) return;
    const sanitized = this.sanitizer.sanitize(asked);
    const alternative = this.sanitizer.sanitize(applyReplicas(parent, path, replicas, AUTOSCALER));
    await this.writer.write(
      buildRecord({
        ...attemptOf(call),
        wantedBy,
        old: { object: parent, sanitized: this.sanitizer.sanitize(parent), selected: true },
        // The scale subresource changes managedFields in its own way: only the content can be foretold.
        asked: {
          content: sanitized.content,
          digest: { content: sanitized.digest.content, fingerprint: '' },
          ...(alternative.content !== sanitized.content && { alternative }),
        },
      }),
    );
  }

  /** Who wants the object in that state; undefined where no rule selects it, or a later look decides, and nothing is left to do. */
  private async wantedBy(call: ScaleCall, state: KubeObject): Promise<RepositoryKey[] | undefined> {
    const labels = await this.namespaces.labelsOf(call.ref.namespace);
    const match = this.rules.match(matchFacts('UPDATE', call.ref, state, call.writer, labels));
    if (match.undecided) {
      await this.recordUnread(call);
      return undefined;
    }
    if (match.wantedBy.length === 0) this.countSkip('UPDATE', skipReason(match));
    return isSelected(match) ? match.wantedBy : undefined;
  }

  /** A custom resource may keep its replicas anywhere; where its definition can't be read, the usual place is taken. */
  private async findReplicas({ group, version, resource }: ObjectRef): Promise<readonly string[]> {
    if (group === '' || group === 'apps') return REPLICAS_PATH;
    const path = objectPath(CUSTOM_RESOURCES, undefined, `${resource}.${group}`);
    const definition = await this.api.get(path, { timeoutMs: READ_LIMIT_MS }).catch(() => undefined);
    return definition === undefined ? REPLICAS_PATH : replicasPathOf(definition, version);
  }

  private countSkip(operation: string, reason: string): void {
    this.metrics.eventProcessed({ operation, result: 'skipped', reason });
  }
}

function attemptOf({ id, ref, writer, admittedAt }: ScaleCall) {
  return { id, operation: 'UPDATE', ref, user: writer.user, admittedAt } as const;
}

/** Its object is looked at until a call that came then has ended. */
function lookUntilOf(admittedAt: number): number {
  return admittedAt + DEFAULT_PROOF_LIMITS.requestLimitMs;
}
