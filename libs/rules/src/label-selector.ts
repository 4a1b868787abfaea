/** The operators of Kubernetes' label selectors. */
export const SELECTOR_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
export type SelectorOperator = (typeof SELECTOR_OPERATORS)[number];

/** A label selector as Kubernetes defines it: all of it must hold, and an empty one selects everything. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: SelectorOperator; values?: string[] }[];
}

/** One condition of a compiled selector; `values` is empty for Exists and DoesNotExist. */
export interface Requirement {
  key: string;
  operator: SelectorOperator;
  values: ReadonlySet<string>;
}

/** Brings both halves of a selector into one list of conditions, all of which must hold. */
export function compileSelector(selector: LabelSelector): Requirement[] {
  const equalities = Object.entries(selector.matchLabels ?? {}).map(([key, value]): Requirement => ({
    key,
    operator: 'In',
    values: new Set([value]),
  }));
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }): Requirement => ({
    key,
    operator,
    values: new Set(values),
  }));
  return [...equalities, ...expressions];
}

/** As the API server selects: NotIn and DoesNotExist also hold where the label is missing. */
export function matchSelector(requirements: readonly Requirement[], labels: Readonly<Record<string, string>>): boolean {
  for (const requirement of requirements) {
    if (!matchRequirement(requirement, labels)) return false;
  }
  return true;
}

function matchRequirement(requirement: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = labelOf(labels, requirement.key);
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && requirement.values.has(value);
    case 'NotIn':
      return value === undefined || !requirement.values.has(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return requirement.operator satisfies never;
  }
}

/** Own entries only: a label may be called `constructor`, and no object has inherited labels. */
export function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
