/** As many files as the number says; what follows only makes it another value than one that was acted on. */
const FORM = /^(\d{1,9})(?:\/([\w.:-]{1,40}))?$/;

/**
 * How many files the annotation allows to remove at once; nothing where it says no number, or was acted on already. Pure.
 * @param handled the value that was acted on last
 */
export function confirmedCount(value: string | undefined, handled: string | undefined): number | undefined {
  if (value === undefined || value === handled) return undefined;
  const count = FORM.exec(value)?.[1];
  return count === undefined ? undefined : Number(count);
}

/** The value that allows to remove so many files now: one that was acted on allows nothing any more. Pure. */
export function confirmationOf(count: number, handled: string | undefined): string {
  const [, last, turn] = FORM.exec(handled ?? '') ?? [];
  if (Number(last) !== count) return String(count);
  return `${count}/${turn !== undefined && /^\d{1,9}$/.test(turn) ? Number(turn) + 1 : 2}`;
}
