import { Logger } from '@nestjs/common';
import type { Change, ChangeVerdict } from '#domain';
import { objectPath } from '#git';
import type { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import type { RepositoryReporter } from './repository-reporter.ts';

/** Tells what became of a repository's changes, in metrics, log and Events, and knows which files drifted. */
export class ChangeReport {
  private readonly logger = new Logger(ChangeReport.name);
  /** Files that a person changed later than the cluster's object: left alone. */
  private readonly drift = new Set<string>();

  constructor(
    private readonly repository: string,
    private readonly parts: { metrics: ReverserMetrics; reporter: RepositoryReporter },
  ) {}

  /** A batch was written. @param folder spec.path */
  written(changes: Change[], verdicts: ChangeVerdict[], folder: string): void {
    for (const [index, verdict] of verdicts.entries()) {
      const change = changes[index];
      if (change !== undefined) this.processed(change, verdict, objectPath(change.object, folder));
    }
  }

  /** Cluster and repository were compared: what does not differ any more has not drifted. */
  compared(differingPaths: string[]): void {
    const differing = new Set(differingPaths);
    for (const path of this.drift) if (!differing.has(path)) this.drift.delete(path);
    this.tellDrift();
  }

  private processed(change: Change, verdict: ChangeVerdict, path: string): void {
    const { repository } = this;
    const reason = verdict.result === 'refused' ? verdict.code : verdict.result;
    const result = verdict.result === 'stale' || verdict.result === 'refused' ? 'dropped' : verdict.result;
    this.parts.metrics.eventProcessed({ operation: change.operation, result, reason, repository });
    const drifted = verdict.result === 'stale' && change.origin === 'observed';
    this.noteDrift(path, drifted);
    if (!drifted && (verdict.result === 'stale' || verdict.result === 'refused')) {
      this.parts.reporter.dropped(change, verdict);
    }
    const latencyMs = Date.now() - change.admittedAt;
    this.logger.log({ msg: 'change processed', repository, latencyMs, ...describe(change), ...verdict });
  }

  /** A state that lost against a person's commit is drift until another verdict on the file comes. */
  private noteDrift(path: string, drifted: boolean): void {
    if (this.drift.has(path) === drifted) return;
    if (drifted) this.drift.add(path);
    else this.drift.delete(path);
    this.tellDrift();
  }

  private tellDrift(): void {
    this.parts.metrics.drifted(this.repository, this.drift.size);
    this.parts.reporter.drifted(this.drift.size);
  }
}

function describe(change: Change): Record<string, string> {
  const { kind, namespace, name } = change.object;
  return { operation: change.operation, kind, name, user: change.user, ...(namespace !== undefined && { namespace }) };
}
