import { registerDecorator } from 'class-validator';
import type { ValidationArguments } from 'class-validator';
import { checkLabelSelector } from './check-label-selector.ts';
import type { TextRule } from './text-rules.ts';

/** The property is a text for which every rule holds; the message lists all that don't. */
export function CheckText(rules: readonly TextRule[]): PropertyDecorator {
  return checkedBy('checkText', (value) => checkText(rules, value));
}

/** The property is a list of such texts. `orElse` says what to do where an empty list makes no sense. */
export function CheckTexts(rules: readonly TextRule[], options: { orElse?: string } = {}): PropertyDecorator {
  return checkedBy('checkTexts', (value) =>
    checkList(value, 'must be a list of texts', options.orElse, (item) => checkText(rules, item)),
  );
}

/** The property is a list with at least one object; `fields` names what each holds, which `ValidateNested` checks. */
export function CheckEntries(fields: string): PropertyDecorator {
  return checkedBy('checkEntries', (value) =>
    checkList(
      value,
      `must be a list of entries with ${fields}`,
      `must hold at least one entry with ${fields}`,
      (item) => (typeof item === 'object' && item !== null && !Array.isArray(item) ? [] : [`must hold ${fields}`]),
    ),
  );
}

/** The property is a valid label selector. */
export function CheckLabelSelector(): PropertyDecorator {
  return checkedBy('checkLabelSelector', checkLabelSelector);
}

function checkList(
  value: unknown,
  noList: string,
  orElse: string | undefined,
  problemsOfItem: (item: unknown) => string[],
): string[] {
  if (!Array.isArray(value)) return [noList];
  if (value.length === 0 && orElse !== undefined) return [orElse];
  return value.flatMap((item: unknown, index) => problemsOfItem(item).map((text) => `[${index}]: ${text}`));
}

function checkText(rules: readonly TextRule[], value: unknown): string[] {
  if (typeof value !== 'string') return ['must be a text'];
  return rules.filter((rule) => !rule.holds(value)).map((rule) => rule.otherwise);
}

/** Between the problems of one property, which class-validator reports as one message; no problem holds a line break. */
export const PROBLEM_SEPARATOR = '\n';

function checkedBy(name: string, problemsOf: (value: unknown) => string[]): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: propertyName as string,
      validator: {
        validate: (value: unknown) => problemsOf(value).length === 0,
        defaultMessage: (shown?: ValidationArguments) => problemsOf(shown?.value).join(PROBLEM_SEPARATOR),
      },
    });
  };
}
