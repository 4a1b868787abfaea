import { Injectable } from '@nestjs/common';
import type { KubeObject, ObjectRef, ProvenState } from '#domain';
import type { Watchers } from '#ledger';
import { RulesService } from '#rules';
import { SanitizerService } from '#sanitizer';
import { provenState } from '../capture/build-record.ts';
import { Namespaces } from '../capture/namespaces.service.ts';
import { sanitizeStored } from '../capture/sanitize-stored.ts';
import { isWatched, watchersOf } from '../capture/watchers-of.ts';

/** A stored object, as proof and plan want it. */
export interface StoredState {
  ref: ObjectRef;
  state: ProvenState;
  /** The file's text; undefined where no file can hold the object. */
  content: string | undefined;
  /** Repositories whose rules select it, whoever writes. */
  watchers: Watchers;
}

/** Turns objects that the API server stored into proven states. */
@Injectable()
export class ObjectReader {
  constructor(
    private readonly rules: RulesService,
    private readonly sanitizer: SanitizerService,
    private readonly namespaces: Namespaces,
  ) {}

  /** @param name the object's name; its uid is the object's own. Rejects where its namespace can't be read. */
  async stateOf(name: ObjectRef, object: KubeObject): Promise<StoredState> {
    const { content, digest } = sanitizeStored(this.sanitizer, object);
    const ref: ObjectRef = { ...name, uid: object.metadata.uid ?? '' };
    const watchers = watchersOf(this.rules, ref, object, await this.namespaces.labelsOf(ref.namespace));
    if (watchers === undefined) throw new Error('The namespace of the object could not be read.');
    return { ref, state: provenState(object, digest, isWatched(watchers)), content, watchers };
  }
}
