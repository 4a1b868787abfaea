import type { LedgerRecord } from '../ledger-entry.ts';
import { LedgerInMemory } from './ledger-in-memory.ts';
import { SimulatedApiServer } from './simulated-api-server.ts';
import type { Draw, Kind } from './simulated-api-server.ts';
import { SimulatedGit } from './simulated-git.ts';
import { refOf, REPOSITORY, SimulatedRecorder } from './simulated-recorder.ts';
import type { Faults } from './simulated-recorder.ts';
import { SimulatedSettler, type Stage } from './simulated-settler.ts';

/** How a run goes; what is not named is drawn or does not happen. */
export interface Weather extends Faults {
  /** A controller changes labels through status, which no call announces. */
  unannounced: boolean;
  /** Settle jobs die after they queued changes and before they concluded. */
  crashes: boolean;
  sharedManagers: boolean;
  /** The API server still tells the versions that nobody saw. */
  history: boolean;
}

/** An API server, replicas that hear its calls, and a settler, for one object name. A run's entropy interleaves them. */
export class SimulatedCluster {
  readonly api: SimulatedApiServer;
  readonly recorder: SimulatedRecorder;
  readonly settler: SimulatedSettler;
  readonly git = new SimulatedGit();
  readonly kind: Kind;
  private readonly ledger = new LedgerInMemory();
  private readonly draw: Draw;
  private job: Generator<Stage, void> | undefined;
  private stage: Stage | undefined;

  constructor(
    private readonly entropy: number[],
    readonly weather: Weather,
  ) {
    this.draw = (below) => (this.entropy.shift() ?? 0) % below;
    const traits = this.draw(6);
    this.kind = {
      hasGeneration: traits % 2 === 1 || weather.held > 0,
      converts: traits < 2,
      isAnnotated: traits > 3,
      isLabelled: weather.unannounced,
      sharesManager: weather.sharedManagers,
      isSlow: weather.held > 0 || weather.lost || weather.late,
    };
    this.api = new SimulatedApiServer(this.kind, this.draw, (call) => this.recorder.hear(call));
    this.recorder = new SimulatedRecorder(
      this.ledger,
      weather,
      (call) => this.settler.isTooLate(call),
      this.draw,
      () => this.api.now,
    );
    this.settler = new SimulatedSettler(this.api, this.recorder, this.ledger, this.git, weather.history);
  }

  run(): void {
    while (this.entropy.length > 0) this.step();
    while (this.api.isBusy) this.api.proceed();
    this.finish();
    while (!this.recorder.holdsNothing) this.recorder.deliver();
    this.finish();
    this.api.now += 120_000; // longer than any request lasts
    this.finish();
  }

  private step(): void {
    this.api.now += 1;
    const choice = this.draw(30);
    if (choice < 8) this.work();
    else if (choice < 14) this.api.proceed();
    else if (choice < 18) this.api.update();
    else if (choice < 20) this.api.create();
    else if (choice < 22) this.api.remove();
    else if (choice === 22) this.api.finalize();
    else if (choice < 25) this.api.writeStatus();
    else if (choice === 25) this.api.scale();
    else if (choice < 28) this.deliver();
    else if (choice === 28) this.api.pass([300, 1_000, 3_000][this.draw(3)] ?? 0);
    else this.crash();
  }

  private work(): void {
    this.api.now += 1;
    this.job ??= this.settler.settle();
    this.stage = this.job.next().value ?? undefined;
    if (this.stage === undefined) this.job = undefined;
  }

  /** What nobody waits for is too late from the moment at which the ledger is read. */
  private deliver(): void {
    if (this.stage !== 'read' || !this.weather.late) this.recorder.deliver();
  }

  private crash(): void {
    if (this.weather.crashes) this.job = undefined;
  }

  /** What replicas hold comes, and what nobody announced is noticed. */
  private finish(): void {
    this.recorder.deliverHeld();
    this.settleAll();
    for (const record of this.unexplained()) {
      this.ledger.record(record);
      this.settleAll();
    }
  }

  /** What is in doubt is put off, and decided by one of the jobs that follow. */
  private settleAll(): void {
    for (let jobs = 0; jobs < 4; jobs++) {
      do this.work();
      while (this.job !== undefined);
    }
  }

  /** What the watch of metadata asks to be looked at. */
  private unexplained(): LedgerRecord[] {
    const last = this.api.writes.at(-1);
    const { settled } = this.ledger;
    if (last === undefined) return [];
    const isGone = last.after === undefined;
    const watched = last.after ?? last.before;
    if (watched?.selected !== true) return [];
    const known = settled?.uid === last.uid && (isGone ? settled.gone : settled.version === last.version);
    if (known) return [];
    const watchers = { UPDATE: [REPOSITORY], DELETE: [REPOSITORY] };
    const state = { version: last.version, content: '', fingerprint: '', dying: false };
    const unknown = isGone && settled?.uid !== last.uid;
    return [{ object: refOf(last.uid), lookUntil: 0, watchers, ...(unknown && { base: { uid: last.uid, state } }) }];
  }
}
