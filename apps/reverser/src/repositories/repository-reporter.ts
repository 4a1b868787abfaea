import { Logger } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { Change, ChangeVerdict, KubeObject, RepositoryKey } from '#domain';
import type { Condition, KubeEvents, StatusWriter } from '#k8s';
import { GIT_REPO_CONFIGS, statusRef } from '../custom-resources.ts';
import { CONFIRM_ANNOTATION } from './opened-repository.ts';
import type { ResyncSummary } from './opened-repository.ts';
import { READY, REASONS, repositoryConditions } from './repository-state.ts';
import type { RepositoryState } from './repository-state.ts';

interface Status {
  observedGeneration?: number;
  conditions?: Condition[];
  lastCommit?: { sha: string; time: string };
  pendingEvents?: number;
  /** Files that a person changed later than the cluster's object: left alone. */
  driftedFiles?: number;
  lastResync?: { time: string; objects: number; differing: number; orphaned: number; failedKinds: string[] };
  /** The value of the annotation that was acted on last. */
  lastHandledResyncAt?: string;
}

/** At most one write of status in this time, but for a new state, which is told at once. */
const STATUS_INTERVAL_MS = 1_000;

/** Tells a GitRepoConfig's user how it is doing: status, and a Kubernetes Event for each new reason. */
export class RepositoryReporter {
  private readonly logger = new Logger(RepositoryReporter.name);
  private object: KubeObject | undefined;
  /** What this replica knows, and the part of it that is not written yet: other replicas write the rest. */
  private status: Status = {};
  private news: Partial<Status> = {};
  private state: RepositoryState | undefined;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(
    private readonly key: RepositoryKey,
    private readonly statusWriter: StatusWriter,
    private readonly events: KubeEvents,
  ) {}

  /** The newest form of the object: its status is where the next one starts from. */
  follow(object: KubeObject): void {
    if (this.object?.metadata.uid !== object.metadata.uid) this.status = object['status'] ?? {};
    this.object = object;
  }

  say(state: RepositoryState): void {
    // A batch that went well says nothing about a removal that waits for a person: the next resync does.
    if (this.state?.reason === REASONS.massRemoval && state.phase === 'ready') return;
    const changed = this.state?.reason !== state.reason || this.state.message !== state.message;
    const generation = this.object?.metadata.generation ?? 0;
    if (!changed && this.status.observedGeneration === generation) return;
    const before = this.state;
    this.state = state;
    // A probe that begins says nothing new about a repository that was fine: its generation is observed when it ends.
    const observedGeneration = state.phase === 'probing' ? this.status.observedGeneration : generation;
    const conditions = repositoryConditions(this.status.conditions ?? [], state, generation, Date.now());
    this.tell({ ...(observedGeneration !== undefined && { observedGeneration }), conditions }, 0);
    if (changed) this.announce(state, before);
  }

  committed(head: { sha: string; time: number }): void {
    this.tell({ lastCommit: { sha: head.sha, time: rfc3339(head.time * 1000) } });
  }

  pending(count: number): void {
    if (this.status.pendingEvents === count) return;
    this.tell({ pendingEvents: count });
  }

  drifted(count: number): void {
    if ((this.status.driftedFiles ?? 0) === count) return;
    this.tell({ driftedFiles: count });
  }

  resynced({ objects, differing, orphaned, heldBack, failed }: ResyncSummary, requestedAt: string | undefined): void {
    const time = rfc3339(Date.now());
    this.tell({
      lastResync: { time, objects, differing: differing.length, orphaned, failedKinds: failed },
      ...(requestedAt !== undefined && { lastHandledResyncAt: requestedAt }),
    });
    if (!heldBack && this.state?.reason === REASONS.massRemoval) this.resume();
    if (failed.length === 0 || this.object === undefined) return;
    const message = `Not compared, and nothing removed: ${failed.join('; ')}`;
    void this.events.emit({
      regarding: this.object,
      type: 'Warning',
      reason: 'ResyncIncomplete',
      message,
      action: 'Resync',
    });
  }

  private resume(): void {
    this.state = undefined;
    this.say(READY);
  }

  /** The removal of many files at once waits for a person, who allows it with this value of the annotation. */
  massRemoval(count: number, value: string): void {
    const message = `${count} files have no object any more, which is more than are removed without a person's word. If that is right, allow it: kubectl annotate gitrepoconfig ${this.key.name} -n ${this.key.namespace} --overwrite ${CONFIRM_ANNOTATION}=${value}`;
    this.say({ phase: 'stalled', reason: REASONS.massRemoval, message });
  }

  /** A change that does not reach Git, and why. */
  dropped(change: Change, verdict: Extract<ChangeVerdict, { result: 'stale' | 'refused' }>): void {
    if (this.object === undefined) return;
    const { kind, name, namespace } = change.object;
    const what = `${change.operation} of ${kind}/${name}${namespace === undefined ? '' : ` in ns/${namespace}`}`;
    const note =
      verdict.result === 'stale'
        ? `${what} was not written: commit ${verdict.sha.slice(0, 12)} changed its file later, and the later change wins.`
        : `${what} was refused by the remote (${verdict.code}): ${verdict.message}`;
    const reason = verdict.result === 'stale' ? 'StaleEvent' : 'ChangeRefused';
    void this.events.emit({ regarding: this.object, type: 'Warning', reason, message: note, action: 'Write' });
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private announce(state: RepositoryState, before: RepositoryState | undefined): void {
    const { phase, reason, message } = state;
    const repository = repositoryKeyText(this.key);
    if (phase === 'waiting' || phase === 'stalled') {
      this.logger.warn({ msg: 'repository is not ready', repository, reason, message });
      if (this.object !== undefined) {
        void this.events.emit({ regarding: this.object, type: 'Warning', reason, message, action: 'Probe' });
      }
    } else if (phase === 'ready') {
      this.logger.log({ msg: 'repository is ready', repository });
      const healed = before !== undefined && before.phase !== 'probing';
      if (healed && this.object !== undefined) {
        void this.events.emit({ regarding: this.object, type: 'Normal', reason, message, action: 'Probe' });
      }
    }
  }

  private tell(news: Partial<Status>, delayMs = STATUS_INTERVAL_MS): void {
    this.status = { ...this.status, ...news };
    this.news = { ...this.news, ...news };
    this.write(delayMs);
  }

  private write(delayMs: number): void {
    if (delayMs > 0 && this.timer !== undefined) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.writing = this.writing.then(() => this.flush());
    }, delayMs);
  }

  private async flush(): Promise<void> {
    if (this.ended || this.object === undefined) return;
    const { news } = this;
    this.news = {};
    try {
      await this.statusWriter.patch(statusRef(GIT_REPO_CONFIGS, this.object), { ...news });
    } catch (error) {
      this.news = { ...news, ...this.news };
      this.logger.warn({
        msg: 'status was not written, it is tried again',
        repository: repositoryKeyText(this.key),
        error: (error as Error).message,
      });
      this.write(STATUS_INTERVAL_MS);
    }
  }
}

function rfc3339(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
