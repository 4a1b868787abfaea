import { registerDecorator } from 'class-validator';
import type { ValidationArguments } from 'class-validator';
import { checkLabelSelector } from './check-label-selector.ts';
import type { TextRule } from './text-rules.ts';

/** The property is a text, or with `each` a list of texts, for which every rule holds; the message lists all that don't. */
export function CheckText(rules: readonly TextRule[], options: { each?: boolean } = {}): PropertyDecorator {
  const problemsOf = (value: unknown): string[] => {
    if (!options.each) return checkText(rules, value);
    if (!Array.isArray(value)) return ['must be a list of texts'];
    return value.flatMap((item: unknown, index) => checkText(rules, item).map((text) => `[${index}]: ${text}`));
  };
  return checkedBy('checkText', problemsOf);
}

/** The property is a valid label selector. */
export function CheckLabelSelector(): PropertyDecorator {
  return checkedBy('checkLabelSelector', checkLabelSelector);
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
