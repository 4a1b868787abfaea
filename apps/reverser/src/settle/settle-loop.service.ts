import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { LedgerService } from '#ledger';
import { SettleQueue } from '#queue';
import { Settler } from './settler.service.ts';

const SWEEP_MS = 100;
/** A name that was handed to a job is due again after this, should the job die. */
const LEASE_MS = 3_000;
const SWEEP_LIMIT = 500;

/** Runs settle jobs, and makes new ones for names that are due: undecided attempts, and records whose job was lost. */
@Injectable()
export class SettleLoop implements OnApplicationShutdown {
  private readonly logger = new Logger(SettleLoop.name);
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  private failing = false;

  constructor(
    private readonly ledger: LedgerService,
    private readonly queue: SettleQueue,
    private readonly settler: Settler,
  ) {}

  /** @param onRestored told when the API server's storage was restored to an earlier state */
  start(onRestored: () => void): void {
    this.settler.onRestored = onRestored;
    this.queue.start((id) => this.settler.settle(id));
    this.sweepLater();
  }

  onApplicationShutdown(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private sweepLater(): void {
    if (this.ended) return;
    this.timer = setTimeout(() => {
      void this.sweep().finally(() => this.sweepLater());
    }, SWEEP_MS);
  }

  private async sweep(): Promise<void> {
    try {
      const ids = await this.ledger.claimDue(Date.now(), LEASE_MS, SWEEP_LIMIT);
      if (ids.length > 0) await this.queue.wake(ids);
      this.failing = false;
    } catch (error) {
      // Redis is away: said once, the connection's own log says more.
      if (!this.failing)
        this.logger.warn({ msg: 'looking for undecided objects failed', error: (error as Error).message });
      this.failing = true;
    }
  }
}
