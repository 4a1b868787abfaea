import { Logger } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { Change, ChangeVerdict, KubeObject, RepositoryKey } from '#domain';
import type { WriteResult } from '#git';
import type { KubeInformer } from '#k8s';
import type { BatchOutcome, RepositoryLock, RepositoryQueues } from '#queue';
import { parseGitRepoConfig } from '#rules';
import type { GitRepoConfig } from '#rules';
import type { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import type { OpenRepository, RepositoryAccess } from './access.service.ts';
import { ChangeReport } from './change-report.ts';
import { CONFIRM_ANNOTATION, RESYNC_ANNOTATION } from './opened-repository.ts';
import type { OpenedRepository, ResyncSummary } from './opened-repository.ts';
import { RemovalConfirmation } from './removal-confirmation.ts';
import type { HandledValues } from './removal-confirmation.ts';
import { asFailure, isOwnTrouble } from './repository-failure.ts';
import { READY, REASONS } from './repository-state.ts';
import type { RepositoryState } from './repository-state.ts';
import type { RepositoryReporter } from './repository-reporter.ts';
import { StallWatch } from './stall-watch.ts';
import { retryPause } from './retry-pause.ts';

export interface ActorParts {
  access: RepositoryAccess;
  queues: RepositoryQueues;
  lock: RepositoryLock;
  metrics: ReverserMetrics;
  reporter: RepositoryReporter;
  removals: HandledValues;
  /** The repository was opened, for the first time or after a change of its spec: what it holds is unknown. */
  onOpened: () => void;
  /** The changes of a batch that still hold: see {@link ListedScreen}. */
  holding: (changes: Change[]) => Promise<Change[]>;
  /** Some did not: the cluster is to be compared again. */
  onOvertaken: () => void;
  /** Calls `onChange` whenever the Secret appears, changes or goes. */
  watchSecret: (namespace: string, name: string, onChange: () => void) => KubeInformer<unknown>;
}

/**
 * Everything about one GitRepoConfig: its probe, its worker, its state. Reconciles one after the other. Its worker runs while
 * the repository is open here, and no longer: another replica may be able to write what this one can't.
 */
export class RepositoryActor {
  private readonly logger = new Logger(RepositoryActor.name);
  private readonly text: string;
  private object: KubeObject | undefined;
  private config: GitRepoConfig | undefined;
  private open: OpenRepository | undefined;
  private secret: { name: string; informer: KubeInformer<unknown> } | undefined;
  /** Generation whose repository was asked to be compared. */
  private comparedGeneration: number | undefined;
  private failures = 0;
  /** Why this replica's last push failed. */
  private trouble: 'own' | 'remote' | undefined;
  /** A batch is with us. */
  private writing = false;
  private readonly stalls = new StallWatch();
  private readonly confirmation: RemovalConfirmation;
  private readonly changes: ChangeReport;
  private retry: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  /** The queue is known to be ours, and not that of a predecessor under the same name. */
  private owning = false;
  private readonly ending = new AbortController();

  constructor(
    readonly key: RepositoryKey,
    readonly uid: string,
    private readonly parts: ActorParts,
  ) {
    this.text = repositoryKeyText(key);
    this.confirmation = new RemovalConfirmation(uid, parts.removals);
    this.changes = new ChangeReport(this.text, parts);
  }

  /** Takes a new or changed GitRepoConfig. A change of status alone is none. */
  update(object: KubeObject): void {
    this.object = object;
    this.parts.reporter.follow(object);
    this.enqueue(() => this.reconcile(object));
  }

  /** Takes new annotations: they ask for things without being spec. */
  annotate(object: KubeObject): void {
    this.object = object;
  }

  /** For a resync; nothing while the repository is not open. */
  opened(): OpenedRepository | undefined {
    const { open, config, confirmation } = this;
    if (open === undefined || config === undefined) return undefined;
    const confirmed = (): number | undefined => confirmation.allowed(this.annotation(CONFIRM_ANNOTATION));
    return {
      folder: config.target.path,
      prune: config.prune,
      get confirmedRemoval() {
        return confirmed();
      },
      listFiles: async () => {
        await confirmation.load();
        return open.repository.listFiles();
      },
      massRemoval: (count) => void this.massRemoval(count),
      resynced: (summary) => this.resynced(summary),
    };
  }

  /** The GitRepoConfig is gone, or the process ends. What is queued stays queued. */
  async end(): Promise<void> {
    this.ending.abort();
    clearTimeout(this.retry);
    this.parts.metrics.queueHolds(this.text, undefined);
    await this.parts.queues.stop(this.key, this.uid);
    await this.running;
    await this.secret?.informer.stop();
    await this.close();
    this.parts.reporter.end();
  }

  /** Looks at the length of the queue, for status and metric. */
  async measure(): Promise<void> {
    if (!this.owning || this.ended) return;
    const pending = await this.parts.queues.countPending(this.key);
    if (this.ended) return;
    this.parts.metrics.queueHolds(this.text, pending);
    this.parts.reporter.pending(pending);
    // Another replica has written what this one could not.
    if (pending === 0 && this.trouble !== undefined && this.open !== undefined) this.isWell();
    await this.confirmation.remember();
    if (!(await this.parts.queues.keep(this.key, this.uid))) return this.reclaim();
    if (pending > 0 && this.stalls.look(await this.parts.queues.head(this.key), Date.now()))
      this.enqueue(() => this.wake());
  }

  private annotation(name: string): string | undefined {
    return this.object?.metadata.annotations?.[name];
  }

  private get ended(): boolean {
    return this.ending.signal.aborted;
  }

  /** Redis says that the queue is somebody else's: a successor has it, or Redis was restored from a backup. */
  private reclaim(): void {
    this.owning = false;
    this.enqueue(async () => {
      await this.own();
      if (this.open !== undefined) this.work();
    });
  }

  private async own(): Promise<void> {
    const isCurrent = (): Promise<boolean> => this.parts.access.isCurrent(this.key, this.uid);
    await this.parts.queues.own(this.key, this.uid, this.ending.signal, isCurrent);
    this.owning = true;
  }

  /** A worker that does not take what waits is started anew: it may have lost its connection without noticing. */
  private async wake(): Promise<void> {
    if (this.writing || this.open === undefined) return;
    this.logger.error({ msg: 'a queue does not move, its worker is started anew', repository: this.text });
    this.parts.metrics.queueStalled(this.text);
    await this.parts.queues.stop(this.key, this.uid);
    this.work();
  }

  private work(): void {
    // Deleted meanwhile: the queue belongs to whoever comes next under this name.
    if (!this.ended) this.parts.queues.start(this.key, this.uid, (changes, signal) => this.write(changes, signal));
  }

  private enqueue(work: () => Promise<void>): void {
    if (this.ended) return;
    this.running = this.running.then(async () => {
      if (this.ended) return;
      await work().catch((error: Error) => {
        if (this.ended) return;
        this.logger.error({ msg: 'reconciling a repository failed', repository: this.text, error: error.stack });
        this.retryLater();
      });
    });
  }

  private async reconcile(object: KubeObject): Promise<void> {
    clearTimeout(this.retry);
    this.failures = 0;
    this.trouble = undefined;
    if (!this.owning) await this.own();
    const parsed = parseGitRepoConfig(object);
    if (!('config' in parsed)) {
      this.config = undefined;
      await this.follow(undefined);
      await this.halt({ phase: 'stalled', reason: REASONS.invalidSpec, message: parsed.problems.join('; ') });
      return;
    }
    this.config = parsed.config;
    await this.follow(parsed.config);
    if (parsed.config.suspend) {
      const message = 'Changes are recorded and queued; nothing is written until spec.suspend is false.';
      await this.halt({ phase: 'suspended', reason: REASONS.suspended, message });
      return;
    }
    this.say({ phase: 'probing', reason: REASONS.probing, message: 'Asking the remote repository.' });
    await this.probe();
  }

  private async halt(state: RepositoryState): Promise<void> {
    await this.close();
    this.say(state);
  }

  private async probe(): Promise<void> {
    clearTimeout(this.retry);
    const { config } = this;
    if (config === undefined || config.suspend) return;
    await this.close();
    try {
      this.open = await this.parts.access.open(config);
      this.parts.metrics.gitOperation({ operation: 'probe', result: 'ok', repository: this.text });
      // That the remote answers says nothing about a disk that was full: a push will.
      if (this.trouble !== 'own') this.isWell();
      if (this.comparedGeneration !== config.generation) this.parts.onOpened();
      this.comparedGeneration = config.generation;
      await this.parts.queues.resumeNow(this.key).catch(() => undefined); // Redis is away: the pause ends by itself
      this.work();
    } catch (error) {
      const failure = asFailure(error);
      this.parts.metrics.gitOperation({ operation: 'probe', result: failure.reason, repository: this.text });
      this.say(failure);
      this.retryLater();
    }
  }

  private isWell(): void {
    this.failures = 0;
    this.trouble = undefined;
    this.say(READY);
  }

  /** Probes again after a pause, in ms, that grows. */
  private retryLater(): number {
    clearTimeout(this.retry);
    const pauseMs = retryPause(++this.failures);
    this.retry = setTimeout(() => this.enqueue(() => this.probe()), pauseMs);
    return pauseMs;
  }

  /** The Secret is watched by name, so that a corrected one heals the repository at once. */
  private async follow(config: GitRepoConfig | undefined): Promise<void> {
    if (this.secret?.name === config?.secretName) return;
    await this.secret?.informer.stop();
    this.secret = undefined;
    const name = config?.secretName;
    if (name === undefined) return;
    let first = true;
    const informer = this.parts.watchSecret(this.key.namespace, name, () => {
      // The first news is what the probe that runs now will read itself.
      if (!first) this.enqueue(() => this.probe());
    });
    void informer.synced.then(() => (first = false));
    this.secret = { name, informer };
  }

  private async write(changes: Change[], signal: AbortSignal): Promise<BatchOutcome> {
    const { open } = this;
    if (open === undefined) return { handBack: true };
    const started = performance.now();
    this.writing = true;
    try {
      const result = await this.parts.lock.hold(open.url.normalized, signal, (held) =>
        this.writeHolding(open, changes, held),
      );
      this.parts.metrics.pushTook((performance.now() - started) / 1000, this.text);
      this.parts.metrics.gitOperation({ operation: 'push', result: 'ok', repository: this.text });
      this.afterPush(changes, result);
      return { verdicts: result.verdicts };
    } catch (error) {
      return signal.aborted ? { handBack: true } : this.afterFailure(asFailure(error), open);
    } finally {
      this.writing = false;
    }
  }

  /** What was found by comparing and has been overtaken is not written: what overtook it is queued, or is compared again. */
  private async writeHolding(open: OpenRepository, changes: Change[], signal: AbortSignal): Promise<WriteResult> {
    const holding = await this.parts.holding(changes);
    const result = await open.repository.write(holding, { signal });
    if (holding.length === changes.length) return result;
    this.parts.onOvertaken();
    const verdicts = new Map(holding.map((change, index) => [change, result.verdicts[index]]));
    const unchanged = ({ eventId }: Change): ChangeVerdict => ({ result: 'unchanged', eventId });
    return { ...result, verdicts: changes.map((change) => verdicts.get(change) ?? unchanged(change)) };
  }

  private afterPush(changes: Change[], { verdicts, head }: WriteResult): void {
    this.changes.written(changes, verdicts, this.config?.target.path ?? '');
    this.isWell();
    const committed = verdicts.some((verdict) => verdict.result === 'committed');
    if (committed && head !== undefined) this.parts.reporter.committed(head);
    void this.measure().catch(() => undefined); // Redis is away: the next one tells
  }

  private afterFailure(failure: RepositoryState, open: OpenRepository): BatchOutcome {
    const problem = { repository: this.text, code: failure.reason };
    this.parts.metrics.gitOperation({ operation: 'push', result: failure.reason, repository: this.text });
    if (this.open === open) this.say(failure);
    this.trouble = isOwnTrouble(failure) ? 'own' : 'remote';
    if (this.trouble === 'remote') {
      const holdMs = retryPause(++this.failures);
      this.logger.warn({ msg: 'push failed, the queue is held', ...problem, holdMs });
      return { holdMs };
    }
    // Unless the repository was opened anew meanwhile.
    this.enqueue(async () => (this.open === open ? this.close() : undefined));
    const pauseMs = this.retryLater();
    const msg = 'push failed here, the changes are left to other replicas meanwhile';
    this.logger.warn({ msg, ...problem, pauseMs });
    return { handBack: true };
  }

  private async massRemoval(count: number): Promise<void> {
    // Allowed just before and not all written yet: nobody is asked twice for the same.
    const pending = this.confirmation.wasFor(count) ? await this.parts.queues.countPending(this.key).catch(() => 0) : 0;
    if (pending === 0) this.parts.reporter.massRemoval(count, this.confirmation.wanted(count));
  }

  private resynced(summary: ResyncSummary): void {
    this.confirmation.removed(summary.removed, this.annotation(CONFIRM_ANNOTATION));
    void this.confirmation.remember().catch(() => undefined); // Redis is away: the next measurement does it
    this.parts.reporter.resynced(summary, this.annotation(RESYNC_ANNOTATION));
    this.changes.compared(summary.differing);
  }

  private say(state: RepositoryState): void {
    if (!this.ended) this.parts.reporter.say(state);
  }

  private async close(): Promise<void> {
    await this.parts.queues.stop(this.key, this.uid);
    const { open } = this;
    this.open = undefined;
    await open?.repository.close();
  }
}
