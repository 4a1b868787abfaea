import type { KubeObject, ObjectRef } from '#domain';
import type { Watchers } from '#ledger';
import type { MatchFacts, RuleMatch, RulesService } from '#rules';
import { matchFacts } from './match-facts.ts';

/**
 * Who hears of an object's changes and of its end, whoever causes them; undefined where that can't be told, since the labels of
 * its namespace are not known.
 */
export function watchersOf(
  rules: RulesService,
  ref: ObjectRef,
  object: KubeObject,
  labels: MatchFacts['namespaceLabels'],
): Watchers | undefined {
  const match = (operation: 'UPDATE' | 'DELETE'): RuleMatch =>
    rules.match(matchFacts(operation, ref, object, undefined, labels));
  const [update, removal] = [match('UPDATE'), match('DELETE')];
  if (update.undecided || removal.undecided) return undefined;
  return { UPDATE: update.wantedBy, DELETE: removal.wantedBy };
}

/** Whether anybody hears of the object at all. */
export function isWatched({ UPDATE, DELETE }: Watchers): boolean {
  return UPDATE.length + DELETE.length > 0;
}
