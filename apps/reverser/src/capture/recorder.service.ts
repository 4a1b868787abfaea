import { Injectable, Logger } from '@nestjs/common';
import type { KubeObject, ObjectRef, Operation } from '#domain';
import { KubeApi, objectPath } from '#k8s';
import { DEFAULT_PROOF_LIMITS, UNSEEN } from '#ledger';
import { RulesService } from '#rules';
import type { MatchFacts, RuleMatch } from '#rules';
import { SanitizerError, SanitizerService } from '#sanitizer';
import { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import { RuleCurrency } from '../selection/rule-currency.service.ts';
import { SelectedTypes } from '../selection/selected-types.service.ts';
import type { AdmissionHandler, AdmissionIdentity, AdmissionRequest } from '../webhook/admission-review.ts';
import { applyReplicas, readReplicas, REPLICAS_PATH, replicasPathOf } from './apply-replicas.ts';
import { buildRecord } from './build-record.ts';
import type { BaseState } from './build-record.ts';
import { CallsInHand } from './calls-in-hand.ts';
import { classifyRequest } from './classify-request.ts';
import type { ClassifiedRequest } from './classify-request.ts';
import { LedgerWriter } from './ledger-writer.service.ts';
import { matchFacts } from './match-facts.ts';
import type { Writer } from './match-facts.ts';
import { Namespaces } from './namespaces.service.ts';
import { isSelected } from './is-selected.ts';

type Write = Extract<ClassifiedRequest, { kind: 'write' }>;
type Scale = Extract<ClassifiedRequest, { kind: 'scale' }>;
const CUSTOM_RESOURCES = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };
/** Field managers of `kubectl scale` and of the HorizontalPodAutoscaler, which names none in its request. */
const PERSON = 'kubectl';
const AUTOSCALER = 'kube-controller-manager';
/** A scale's object: the call is answered at its deadline, and recorded when the object was read. */
const PARENT_LIMIT_MS = 5_000;
/** For reads during admission: inside the server's deadline. */
const READ_LIMIT_MS = 300;

/** Turns admission calls into ledger records: classify, match, sanitize, write. Secret values end here. */
@Injectable()
export class Recorder implements AdmissionHandler {
  private readonly logger = new Logger(Recorder.name);

  constructor(
    private readonly api: KubeApi,
    private readonly rules: RulesService,
    private readonly sanitizer: SanitizerService,
    private readonly namespaces: Namespaces,
    private readonly types: SelectedTypes,
    private readonly writer: LedgerWriter,
    private readonly metrics: ReverserMetrics,
    private readonly calls: CallsInHand,
    private readonly currency: RuleCurrency,
  ) {}

  async handle(request: AdmissionRequest, registration: string): Promise<void> {
    this.metrics.eventReceived(request.operation);
    await this.calls.during(() => this.record(request, registration));
  }

  private async record(request: AdmissionRequest, registration: string): Promise<void> {
    const admittedAt = Date.now();
    await this.currency.reach(registration);
    const classified = classifyRequest(request);
    const writer: Writer = { user: request.user, fieldManager: request.fieldManager };
    if (classified.kind === 'skip') return this.countSkip(request.operation, classified.reason);
    try {
      if (classified.kind === 'scale') await this.recordScale(request.uid, classified, writer, admittedAt);
      else await this.recordWrite(request.uid, classified, writer, admittedAt);
    } catch (error) {
      if (!(error instanceof SanitizerError)) throw error;
      // No file can be made of it, now or later.
      const { kind, namespace, name } = request;
      this.countSkip(request.operation, 'unrenderable');
      this.logger.warn({
        msg: 'an object can not be rendered',
        kind: kind.kind,
        namespace,
        name,
        error: error.message,
      });
    }
  }

  async handleTruncated(identity: AdmissionIdentity, registration: string): Promise<void> {
    this.metrics.eventReceived(identity.operation);
    await this.calls.during(async () => {
      await this.currency.reach(registration);
      await this.recordTruncated(identity);
    });
  }

  private async recordTruncated(identity: AdmissionIdentity): Promise<void> {
    this.logger.warn({
      msg: 'an admission call was too large to hold: the object will be committed as observed',
      resource: identity.resource.resource,
      namespace: identity.namespace,
      name: identity.name,
      operation: identity.operation,
    });
    const type = this.types.find(identity.resource.group, identity.resource.resource);
    if (type === undefined || identity.name === '') return this.countSkip(identity.operation, 'no-identity');
    const namespace = type.namespaced ? { namespace: identity.namespace } : {};
    const { group, version, kind, resource } = type;
    await this.writer.write({
      object: { group, version, kind, resource, ...namespace, name: identity.name, uid: '' },
      lookUntil: Date.now() + DEFAULT_PROOF_LIMITS.requestLimitMs,
    });
  }

  private async recordWrite(id: string, call: Write, writer: Writer, admittedAt: number): Promise<void> {
    const { operation, ref, object, oldObject } = call;
    const state = object ?? oldObject;
    if (state === undefined) return this.countSkip(operation, 'no-identity');
    const labels = await this.namespaces.labelsOf(ref.namespace);
    const match = this.rules.match(matchFacts(operation, ref, state, writer, labels, oldObject));
    const oldSelected = oldObject !== undefined && this.selects(operation, ref, oldObject, writer, labels);
    if (match.undecided) {
      // The namespace could not be read in time: who wants the change is decided after a later live read.
      await this.writer.write({ object: ref, lookUntil: admittedAt + DEFAULT_PROOF_LIMITS.requestLimitMs });
      return;
    }
    if (match.wantedBy.length === 0) this.countSkip(operation, skipReason(match));
    // Of a deletion's tries the first may still have found the object selected: that it has left by now decides.
    const unselected = !isSelected(match) && !oldSelected;
    if (unselected && operation !== 'DELETE') return;
    await this.writer.write({
      ...buildRecord({
        id,
        operation,
        ref,
        user: writer.user,
        admittedAt,
        wantedBy: match.wantedBy,
        ...(operation === 'DELETE' && {
          keptBy: this.rules.match(matchFacts('UPDATE', ref, state, undefined, labels)).wantedBy,
        }),
        old: oldObject && { object: oldObject, sanitized: this.sanitizeBase(oldObject), selected: oldSelected },
        asked: operation === 'DELETE' || object === undefined ? undefined : this.sanitizer.sanitize(object),
        leaves: operation === 'UPDATE' && !isSelected(match),
      }),
      ...(unselected && { ifKnown: true }),
    });
  }

  /** The object with the new replicas, where it is still in the version that the call started from; else observed. */
  private async recordScale(id: string, scale: Scale, writer: Writer, admittedAt: number): Promise<void> {
    const type = this.types.find(scale.group, scale.resource);
    if (type === undefined) return this.countSkip('UPDATE', 'resource-not-selected');
    const { group, version, kind, resource } = type;
    const ref: ObjectRef = {
      group,
      version,
      kind,
      resource,
      namespace: scale.namespace,
      name: scale.name,
      uid: scale.uid,
    };
    const [parent, path] = await Promise.all([
      this.api.readLive(ref, AbortSignal.timeout(PARENT_LIMIT_MS)).catch(() => undefined),
      this.findReplicas(ref),
    ]);
    if (parent?.metadata.uid !== scale.uid) {
      await this.writer.write({ object: ref, lookUntil: admittedAt + DEFAULT_PROOF_LIMITS.requestLimitMs });
      return;
    }
    if (parent.metadata.resourceVersion !== scale.version) {
      await this.recordStoredScale(id, ref, scale, writer, admittedAt, { parent, path });
      return;
    }
    await this.recordReadScale(id, ref, scale, writer, admittedAt, { parent, path });
  }

  /**
   * The object has another version by now: by this very scale where it has that number already, as when the call was answered
   * at its deadline, and else this scale was in vain. The proof decides.
   */
  private async recordStoredScale(
    id: string,
    ref: ObjectRef,
    scale: Scale,
    writer: Writer,
    admittedAt: number,
    { parent, path }: { parent: KubeObject; path: readonly string[] },
  ): Promise<void> {
    const lookUntil = admittedAt + DEFAULT_PROOF_LIMITS.requestLimitMs;
    if (readReplicas(parent, path) !== scale.replicas) return this.writer.write({ object: ref, lookUntil });
    const labels = await this.namespaces.labelsOf(ref.namespace);
    const match = this.rules.match(matchFacts('UPDATE', ref, parent, writer, labels));
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

  private async recordReadScale(
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

  private sanitizeBase(oldObject: KubeObject): BaseState {
    try {
      return this.sanitizer.sanitize(oldObject);
    } catch (error) {
      if (error instanceof SanitizerError) return { digest: UNSEEN };
      throw error;
    }
  }

  /** A custom resource may keep its replicas anywhere; where its definition can't be read, the usual place is taken. */
  private async findReplicas({ group, version, resource }: ObjectRef): Promise<readonly string[]> {
    if (group === '' || group === 'apps') return REPLICAS_PATH;
    const path = objectPath(CUSTOM_RESOURCES, undefined, `${resource}.${group}`);
    const definition = await this.api.get(path, { timeoutMs: READ_LIMIT_MS }).catch(() => undefined);
    return definition === undefined ? REPLICAS_PATH : replicasPathOf(definition, version);
  }

  private selects(
    operation: Operation,
    ref: ObjectRef,
    state: KubeObject,
    writer: Writer,
    labels: MatchFacts['namespaceLabels'],
  ): boolean {
    return isSelected(this.rules.match(matchFacts(operation, ref, state, writer, labels)));
  }

  private countSkip(operation: string, reason: string): void {
    this.metrics.eventProcessed({ operation, result: 'skipped', reason });
  }
}

/** The one reason that a metric carries: the first rule's. */
function skipReason(match: RuleMatch): string {
  return match.skips[0]?.reason ?? 'resource-not-selected';
}
