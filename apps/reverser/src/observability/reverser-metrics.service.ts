import { Injectable } from '@nestjs/common';
import type { Counter, Histogram, ObservableGauge } from '@opentelemetry/api';
import { MetricService } from 'nestjs-otel';
import { Prometheus } from './prometheus.service.ts';

/** Push times in seconds: from a local repository to a slow host. */
const PUSH_BOUNDARIES = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const ADMISSION_BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** The operator's own metrics. Labels are bounded: never an object's name, a user, or free text. */
@Injectable()
export class ReverserMetrics {
  private readonly received: Counter;
  private readonly processed: Counter;
  private readonly gitOperations: Counter;
  private readonly unannouncedChanges: Counter;
  private readonly stalledQueues: Counter;
  private readonly pushDuration: Histogram;
  private readonly admissionDuration: Histogram;
  private readonly queueSize: ObservableGauge;
  private readonly queueSizes = new Map<string, number>();
  private readonly driftedFiles = new Map<string, number>();
  private heldRecords = 0;

  // Prometheus comes first: instruments that are made before the provider is set would measure nothing.
  constructor(_provider: Prometheus, meters: MetricService) {
    this.received = meters.getCounter('gitops_reverser_events_received_total', {
      description: 'Admission calls, by operation',
    });
    this.processed = meters.getCounter('gitops_reverser_events_processed_total', {
      description: 'What became of events: result is committed, unchanged, skipped or dropped; reason says why',
    });
    this.gitOperations = meters.getCounter('gitops_reverser_git_operations_total', {
      description: 'Probes and pushes of remote repositories, by result',
    });
    this.stalledQueues = meters.getCounter('gitops_reverser_stalled_queues_total', {
      description: 'Queues that did not move and whose worker was started anew, by repository',
    });
    this.unannouncedChanges = meters.getCounter('gitops_reverser_unannounced_changes_total', {
      description: 'Changes that no webhook call announced, found by the backstop, by resource',
    });
    this.pushDuration = meters.getHistogram('gitops_reverser_git_push_duration_seconds', {
      description: 'Time to write and push one batch',
      unit: 's',
      advice: { explicitBucketBoundaries: PUSH_BOUNDARIES },
    });
    this.admissionDuration = meters.getHistogram('gitops_reverser_admission_duration_seconds', {
      description: 'Time to answer one admission call',
      unit: 's',
      advice: { explicitBucketBoundaries: ADMISSION_BOUNDARIES },
    });
    this.queueSize = meters.getObservableGauge('gitops_reverser_git_commit_queue_size', {
      description: 'Changes that wait to be pushed, by repository',
    });
    const drift = meters.getObservableGauge('gitops_reverser_drifted_files', {
      description: 'Files that a person changed later than the cluster object, left alone, by repository',
    });
    const held = meters.getObservableGauge('gitops_reverser_held_records', {
      description: 'Records of admission calls that wait in memory because Redis did not take them',
    });
    held.addCallback((result) => result.observe(this.heldRecords));
    drift.addCallback((result) => {
      for (const [repository, count] of this.driftedFiles) result.observe(count, { repository });
    });
    this.queueSize.addCallback((result) => {
      for (const [repository, size] of this.queueSizes) result.observe(size, { repository });
    });
  }

  recordsHeld(count: number): void {
    this.heldRecords = count;
  }

  eventReceived(operation: string): void {
    this.received.add(1, { operation });
  }

  /** One event's end, with the repository where it has one. */
  eventProcessed(labels: { operation: string; result: string; reason: string; repository?: string }): void {
    this.processed.add(1, labels);
  }

  gitOperation(labels: { operation: 'probe' | 'push'; result: string; repository: string }): void {
    this.gitOperations.add(1, labels);
  }

  /** A change that the backstop found. `resource` is a plural of a selected kind: bounded. */
  unannounced(resource: string): void {
    this.unannouncedChanges.add(1, { resource });
  }

  /** A backlog that did not move. */
  queueStalled(repository: string): void {
    this.stalledQueues.add(1, { repository });
  }

  pushTook(seconds: number, repository: string): void {
    this.pushDuration.record(seconds, { repository });
  }

  admissionTook(seconds: number): void {
    this.admissionDuration.record(seconds);
  }

  drifted(repository: string, count: number): void {
    this.driftedFiles.set(repository, count);
  }

  queueHolds(repository: string, size: number | undefined): void {
    if (size === undefined) {
      this.queueSizes.delete(repository);
      this.driftedFiles.delete(repository);
    } else this.queueSizes.set(repository, size);
  }
}
