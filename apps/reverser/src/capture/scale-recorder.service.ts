import { Injectable } from '@nestjs/common';
import type { KubeObject, ObjectRef } from '#domain';
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
    if (parent?.metadata.uid !== scale.uid) {
      await this.writer.write({ object: ref, lookUntil: lookUntilOf(admittedAt) });
      return;
    }
    if (parent.metadata.resourceVersion !== scale.version) {
      await this.recordStored(id, ref, scale, writer, admittedAt, { parent, path });
      return;
    }
    await this.recordRead(id, ref, scale, writer, admittedAt, { parent, path });
  }

  /**
   * The object has another version by now: by this very scale where it has that number already, as when the call was answered
   * at its deadline, and else this scale was in vain. The proof decides.
   */
  private async recordStored(
    id: string,
    ref: ObjectRef,
    scale: Scale,
    writer: Writer,
    admittedAt: number,
    { parent, path }: { parent: KubeObject; path: readonly string[] },
  ): Promise<void> {
    const lookUntil = lookUntilOf(admittedAt);
    if (readReplicas(parent, path) !== scale.replicas) return this.writer.write({ object: ref, lookUntil });
    const labels = await this.namespaces.labelsOf(ref.namespace);
    const match = this.rules.match(matchFacts('UPDATE', ref, parent, writer, labels));
    if (match.undecided) return this.writer.write({ object: ref, lookUntil });
    if (match.wantedBy.length === 0) this.countSkip('UPDATE', skipReason(match));
    if (!isSelected(match)) return;
    const { content, digest } = this.sanitizer.sanitize(parent);
    const asked = { content, digest: { content: digest.content, fingerprint: '' } };
    const { wantedBy } = match;
    const call = {
      id,
      operation: 'UPDATE',
      ref,
      user: writer.user,
      admittedAt,
      wantedBy,
      old: undefined,
      asked,
    } as const;
    const record = buildRecord(call);
    const attempt = record.attempt && { ...record.attempt, base: scale.version };
    await this.writer.write({ ...record, ...(attempt && { attempt }), lookUntil });
  }

  private async recordRead(
    id: string,
    ref: ObjectRef,
    scale: Scale,
    writer: Writer,
    admittedAt: number,
    { parent, path }: { parent: KubeObject; path: readonly string[] },
  ): Promise<void> {
    // Who owns the number decides whether the file holds it, and a client need not say by which manager it writes.
    const asked = applyReplicas(parent, path, scale.replicas, writer.fieldManager || PERSON);
    const labels = await this.namespaces.labelsOf(ref.namespace);
    const match = this.rules.match(matchFacts('UPDATE', ref, asked, writer, labels));
    if (match.undecided) return this.writer.write({ object: ref, lookUntil: lookUntilOf(admittedAt) });
    if (match.wantedBy.length === 0) this.countSkip('UPDATE', skipReason(match));
    if (!isSelected(match)) return;
    const sanitized = this.sanitizer.sanitize(asked);
    const alternative = this.sanitizer.sanitize(applyReplicas(parent, path, scale.replicas, AUTOSCALER));
    await this.writer.write(
      buildRecord({
        id,
        operation: 'UPDATE',
        ref,
        user: writer.user,
        admittedAt,
        wantedBy: match.wantedBy,
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

/** Its object is looked at until a call that came then has ended. */
function lookUntilOf(admittedAt: number): number {
  return admittedAt + DEFAULT_PROOF_LIMITS.requestLimitMs;
}
