import { Injectable } from '@nestjs/common';
import type { Change } from '#domain';
import { LedgerService, objectKey } from '#ledger';
import { holdsStill, isListed } from './screen-listed.ts';

/** Leaves out of a batch what was found by comparing and is overtaken by what was recorded since. */
@Injectable()
export class ListedScreen {
  constructor(private readonly ledger: LedgerService) {}

  /** The changes that still hold, in their order. Rejects while Redis is away. */
  async holding(changes: readonly Change[]): Promise<Change[]> {
    const listed = changes.filter(isListed);
    if (listed.length === 0) return [...changes];
    const standings = await this.ledger.standings(listed.map(({ object }) => objectKey(object)));
    const overtaken = new Set(listed.filter((change, index) => !holdsStill(change, standings[index])));
    return changes.filter((change) => !overtaken.has(change));
  }
}
