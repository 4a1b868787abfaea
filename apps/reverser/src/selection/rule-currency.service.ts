import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';

/** Digests that are remembered: an API server uses an old registration for a second or so. */
const REMEMBERED = 100;
const TRIES = 5;
const RETRY_MS = 200;

/**
 * Tells whether the rules in force here are at least those of the registration by which a call came. With several replicas, a
 * rule is registered by one of them, and the API server may call another one whose watch has not told it of the rule yet.
 */
@Injectable()
export class RuleCurrency {
  private readonly logger = new Logger(RuleCurrency.name);
  /** Digests of registrations whose rules are in force, or were before. */
  private readonly known = new Set<string>();
  private running: Promise<void> | undefined;
  private refresh: () => Promise<void> = () => Promise.reject(new Error('the rules were not read yet'));

  /** @param refresh puts the rules in force that the API server holds now */
  start(refresh: () => Promise<void>): void {
    this.refresh = refresh;
  }

  /** The rules of this registration are in force. */
  note(digest: string): void {
    this.known.delete(digest);
    this.known.add(digest);
    for (const oldest of this.known) {
      if (this.known.size <= REMEMBERED) return;
      this.known.delete(oldest);
    }
  }

  /** Resolves once the rules in force are at least as new as the registration with this digest. Never rejects. */
  async reach(digest: string): Promise<void> {
    for (let attempt = 1; !this.known.has(digest); attempt++) {
      // What runs already may have read the rules before this registration was written.
      await this.running?.catch(() => undefined);
      if (this.known.has(digest)) return;
      this.running ??= this.refresh().finally(() => (this.running = undefined));
      try {
        await this.running;
        this.note(digest);
      } catch (error) {
        if (attempt === TRIES) {
          const problem = (error as Error).message;
          this.logger.warn({ msg: 'a call came by a registration whose rules can not be read', error: problem });
          return;
        }
        await pause(RETRY_MS);
      }
    }
  }
}
