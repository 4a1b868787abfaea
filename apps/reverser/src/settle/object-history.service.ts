import { Injectable, Logger } from '@nestjs/common';
import { KubeApi, isKubeError, readVersions } from '#k8s';
import type { KubeError, WatchEvent } from '#k8s';
import { compareVersions, historySince, stateText } from '#ledger';
import type { Doubt, LedgerEntry, Proof, SettledMark } from '#ledger';
import { RecordArrivals } from '../capture/record-arrivals.service.ts';
import { ObjectReader } from './object-reader.service.ts';

const PATIENCE_MS = 60_000;

/**
 * The states that no call and no read has shown. A change that was heard of and stored is seen in the next call's `oldObject`;
 * when that call is not heard, and comes at once, the API server's own history still tells.
 */
@Injectable()
export class ObjectHistory {
  private readonly logger = new Logger(ObjectHistory.name);

  constructor(
    private readonly api: KubeApi,
    private readonly objects: ObjectReader,
    private readonly arrivals: RecordArrivals,
  ) {}

  /**
   * The entry with the states between, where a heard attempt would be given up for want of them; undefined where nothing can be
   * learned. Rejects where the API server can't be asked for now.
   */
  async extend(entry: LedgerEntry, proof: Proof): Promise<LedgerEntry | undefined> {
    const since = historySince(entry.view, proof);
    const { settled } = proof;
    if (since === undefined || settled === undefined) return undefined;
    const versions = await this.read(entry, since, settled);
    if (versions === undefined) return undefined;
    const { view } = entry;
    const known = new Set([...view.states.map(({ uid }) => uid), ...view.attempts.map(({ object }) => object.uid)]);
    const states = [...view.states];
    const contents = new Map(entry.contents);
    for (const { type, object } of versions) {
      if (type === 'DELETED' || !known.has(object.metadata.uid ?? '')) continue;
      const { ref, state, content } = await this.objects.stateOf(entry.object, object);
      states.push({ uid: ref.uid, state });
      if (content !== undefined) contents.set(stateText(state), content);
    }
    return { ...entry, contents, view: { ...view, states } };
  }

  /** Up to the newest version that is proven: of what came later the ledger may not know yet. */
  private async read(
    { object, doubt }: LedgerEntry,
    since: string,
    settled: SettledMark,
  ): Promise<WatchEvent[] | undefined> {
    const isLast = ({ type, object: { metadata } }: WatchEvent): boolean =>
      metadata.uid === settled.uid &&
      (settled.gone
        ? type === 'DELETED' || metadata.deletionTimestamp !== undefined
        : compareVersions(metadata.resourceVersion ?? '0', settled.version) >= 0);
    try {
      const versions = await readVersions(this.api, object, { since, isLast });
      if (versions === undefined)
        this.tell(object, since, 'the API server does not have it any more, or it is larger than 32 MiB');
      return versions;
    } catch (error) {
      if (!isKubeError(error) || (this.isWorthAnotherTry(error) && this.isNew(doubt))) throw error;
      this.tell(object, since, error.message);
      return undefined;
    }
  }

  /** An operator that may not watch the kind may not do so in a second either. */
  private isWorthAnotherTry(error: KubeError): boolean {
    return error.retryable && error.code !== 'Forbidden';
  }

  /** What can not be learned in a minute holds up the rest no longer. */
  private isNew(doubt: Doubt | undefined): boolean {
    return doubt !== undefined && this.arrivals.now() - doubt.first < PATIENCE_MS;
  }

  private tell({ kind, namespace, name }: LedgerEntry['object'], since: string, error: string): void {
    this.logger.warn({ msg: 'the history of an object could not be read', kind, namespace, name, since, error });
  }
}
