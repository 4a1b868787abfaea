import { Injectable, Logger } from '@nestjs/common';
import type { KubeObject, ObjectRef, Operation } from '#domain';
import { DEFAULT_PROOF_LIMITS } from '#ledger';
import { RulesService } from '#rules';
import type { MatchFacts } from '#rules';
import { SanitizerError, SanitizerService } from '#sanitizer';
import { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import { RuleCurrency } from '../selection/rule-currency.service.ts';
import { SelectedTypes } from '../selection/selected-types.service.ts';
import type { AdmissionHandler, AdmissionIdentity, AdmissionRequest } from '../webhook/admission-review.ts';
import { buildRecord } from './build-record.ts';
import { CallsInHand } from './calls-in-hand.ts';
import { classifyRequest } from './classify-request.ts';
import type { ClassifiedRequest } from './classify-request.ts';
import { LedgerWriter } from './ledger-writer.service.ts';
import { matchFacts } from './match-facts.ts';
import type { Writer } from './match-facts.ts';
import { Namespaces } from './namespaces.service.ts';
import { isSelected, skipReason } from './is-selected.ts';
import { sanitizeStored } from './sanitize-stored.ts';
import { ScaleRecorder } from './scale-recorder.service.ts';

type Write = Extract<ClassifiedRequest, { kind: 'write' }>;

/** Turns admission calls into ledger records: classify, match, sanitize, write. Secret values end here. */
@Injectable()
export class Recorder implements AdmissionHandler {
  private readonly logger = new Logger(Recorder.name);

  constructor(
    private readonly rules: RulesService,
    private readonly sanitizer: SanitizerService,
    private readonly namespaces: Namespaces,
    private readonly types: SelectedTypes,
    private readonly writer: LedgerWriter,
    private readonly metrics: ReverserMetrics,
    private readonly calls: CallsInHand,
    private readonly currency: RuleCurrency,
    private readonly scales: ScaleRecorder,
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
      if (classified.kind === 'scale') await this.scales.record(request.uid, classified, writer, admittedAt);
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
        old: oldObject && {
          object: oldObject,
          sanitized: sanitizeStored(this.sanitizer, oldObject),
          selected: oldSelected,
        },
        asked: operation === 'DELETE' || object === undefined ? undefined : this.sanitizer.sanitize(object),
        leaves: operation === 'UPDATE' && !isSelected(match),
      }),
      ...(unselected && { ifKnown: true }),
    });
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
