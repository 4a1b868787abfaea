import { Injectable } from '@nestjs/common';
import type { KubeObject, ObjectRef, ProvenState, RepositoryKey, StateDigest } from '#domain';
import { UNSEEN } from '#ledger';
import type { Watchers } from '#ledger';
import { RulesService } from '#rules';
import { SanitizerError, SanitizerService } from '#sanitizer';
import { provenState } from '../capture/build-record.ts';
import { matchFacts } from '../capture/match-facts.ts';
import { Namespaces } from '../capture/namespaces.service.ts';

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
    const { content, digest } = this.sanitize(object);
    const ref: ObjectRef = { ...name, uid: object.metadata.uid ?? '' };
    const watchers = await this.watchers(ref, object);
    const state = provenState(object, digest, watchers.UPDATE.length + watchers.DELETE.length > 0);
    return { ref, state, content, watchers };
  }

  /** An object that no file can hold has a state that is never written; its file stays as it was. */
  private sanitize(object: KubeObject): { content: string | undefined; digest: StateDigest } {
    try {
      return this.sanitizer.sanitize(object);
    } catch (error) {
      if (error instanceof SanitizerError) return { content: undefined, digest: UNSEEN };
      throw error;
    }
  }

  private async watchers(ref: ObjectRef, object: KubeObject): Promise<Watchers> {
    const labels = await this.namespaces.labelsOf(ref.namespace);
    const wantedBy = (operation: 'UPDATE' | 'DELETE'): RepositoryKey[] => {
      const match = this.rules.match(matchFacts(operation, ref, object, undefined, labels));
      if (match.undecided) throw new Error('The namespace of the object could not be read.');
      return match.wantedBy;
    };
    return { UPDATE: wantedBy('UPDATE'), DELETE: wantedBy('DELETE') };
  }
}
