import { Injectable, Logger } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { KubeObject, ObjectRef, RepositoryKey, ResourceType } from '#domain';
import { blobId, objectPath } from '#git';
import { collectionPath, KubeApi } from '#k8s';
import { RulesService } from '#rules';
import { SanitizerError, SanitizerService } from '#sanitizer';
import { matchFacts } from '../capture/match-facts.ts';
import { Namespaces } from '../capture/namespaces.service.ts';
import { newestManagers, writtenAt } from '../capture/newest-write.ts';
import { ReverserMetrics } from '../observability/reverser-metrics.service.ts';
import type { SnapshotItem } from './compare-snapshot.ts';

export interface Snapshot {
  items: SnapshotItem[];
  /** Kinds that were listed completely, with their list's version: only their files may be called orphaned. */
  complete: ListedType[];
  /** Paths of selected objects that no file can hold: what stands there is not orphaned. */
  unrenderable: string[];
  /** Kinds that could not be listed, with why. */
  failed: { type: ResourceType; error: string }[];
}

export interface ListedType extends ResourceType {
  listVersion: string;
}

/** Lists what the rules of a repository select, as its files would be. Complete for a kind, or that kind has failed. */
@Injectable()
export class SnapshotReader {
  private readonly logger = new Logger(SnapshotReader.name);

  constructor(
    private readonly api: KubeApi,
    private readonly rules: RulesService,
    private readonly sanitizer: SanitizerService,
    private readonly namespaces: Namespaces,
    private readonly metrics: ReverserMetrics,
  ) {}

  async read(key: RepositoryKey, folder: string, types: ResourceType[]): Promise<Snapshot> {
    const snapshot: Snapshot = { items: [], complete: [], unrenderable: [], failed: [] };
    for (const type of types) {
      try {
        const list = await this.api.list(collectionPath(type));
        for (const object of list.items) {
          const item = await this.describe(key, folder, type, object);
          if (typeof item === 'string') snapshot.unrenderable.push(item);
          else if (item !== undefined) snapshot.items.push(item);
        }
        snapshot.complete.push({ ...type, listVersion: list.resourceVersion });
      } catch (error) {
        const text = error instanceof Error ? error.message : 'unknown error';
        this.logger.warn({
          msg: 'a kind could not be listed',
          repository: repositoryKeyText(key),
          resource: type.resource,
          error: text,
        });
        snapshot.failed.push({ type, error: text });
      }
    }
    return snapshot;
  }

  /** A selected object as its file would be; its path alone where no file can hold it; nothing where it is not selected. */
  private async describe(
    key: RepositoryKey,
    folder: string,
    { group, version, kind, resource }: ResourceType,
    object: KubeObject,
  ): Promise<SnapshotItem | string | undefined> {
    const { metadata } = object;
    const { namespace, name = '', uid = '' } = metadata;
    if (metadata.deletionTimestamp !== undefined) return undefined;
    const ref: ObjectRef = { group, version, kind, resource, ...(namespace !== undefined && { namespace }), name, uid };
    const labels = await this.namespaces.labelsOf(namespace);
    const match = this.rules.match(matchFacts('UPDATE', ref, object, undefined, labels));
    if (match.undecided) throw new Error('the labels of a namespace could not be read');
    const wanted = match.wantedBy.some((each) => each.namespace === key.namespace && each.name === key.name);
    if (!wanted) return undefined;
    const content = this.content(object);
    const path = objectPath(ref, folder);
    if (content === undefined) return path;
    return {
      ref,
      path,
      blob: blobId(content),
      content,
      version: metadata.resourceVersion ?? '0',
      managers: newestManagers(metadata.managedFields),
      changedAt: writtenAt(metadata) ?? 0,
    };
  }

  private content(object: KubeObject): string | undefined {
    try {
      return this.sanitizer.sanitize(object).content;
    } catch (error) {
      if (!(error instanceof SanitizerError)) throw error;
      const { name, namespace } = object.metadata;
      this.metrics.eventProcessed({ operation: 'UPDATE', result: 'skipped', reason: 'unrenderable' });
      this.logger.warn({
        msg: 'an object can not be rendered',
        kind: object.kind,
        namespace,
        name,
        error: error.message,
      });
      return undefined;
    }
  }
}
