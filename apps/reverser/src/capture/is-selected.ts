import type { RuleMatch, SkipReason } from '#rules';

/** Reasons that lie in the write, not in the object: another write of the same object may be wanted. */
const ABOUT_THE_WRITE: ReadonlySet<SkipReason> = new Set<SkipReason>([
  'operation-not-selected',
  'user-excluded',
  'field-manager-excluded',
  'default-user',
  'dying',
]);

/** Whether some rule may want writes of this object: then each of its states and attempts is recorded. */
export function isSelected(match: RuleMatch): boolean {
  return match.wantedBy.length > 0 || match.undecided || match.skips.some(({ reason }) => ABOUT_THE_WRITE.has(reason));
}

/** The one reason that a metric carries: the first rule's. */
export function skipReason(match: RuleMatch): string {
  return match.skips[0]?.reason ?? 'resource-not-selected';
}
