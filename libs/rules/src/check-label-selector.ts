import { SELECTOR_OPERATORS } from './label-selector.ts';

// Kubernetes' qualified names and label values (apimachinery validation): prefix up to 253, name and value up to 63.
const LABEL_PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/**
 * Every mistake of a label selector, as `<where>: <what to do>`, for input of any shape. `where` is relative to the
 * selector and may be empty. The resource's schema can't find them all, and an older schema may be installed.
 */
export function checkLabelSelector(selector: unknown): string[] {
  if (!isMapping(selector)) return ['must be a label selector with matchLabels and matchExpressions'];
  return [...checkMatchLabels(selector['matchLabels']), ...checkMatchExpressions(selector['matchExpressions'])];
}

function checkMatchLabels(matchLabels: unknown): string[] {
  if (isAbsent(matchLabels)) return [];
  if (!isMapping(matchLabels)) return ['.matchLabels: must map label keys to values'];
  return Object.entries(matchLabels).flatMap(([key, value]) => [
    ...prefixed('.matchLabels', checkKey(key)),
    ...prefixed(`.matchLabels[${JSON.stringify(key)}]`, checkValue(value)),
  ]);
}

function checkMatchExpressions(expressions: unknown): string[] {
  if (isAbsent(expressions)) return [];
  if (!Array.isArray(expressions)) return ['.matchExpressions: must be a list'];
  return expressions.flatMap((expression: unknown, index) =>
    prefixed(`.matchExpressions[${index}]`, checkExpression(expression)),
  );
}

function checkExpression(expression: unknown): string[] {
  if (!isMapping(expression)) return ['must hold key, operator and values'];
  const { key, operator, values } = expression;
  const problems = checkKey(key);
  if (!isAbsent(values) && !Array.isArray(values)) return [...problems, 'values must be a list'];
  const list: unknown[] = Array.isArray(values) ? values : [];
  problems.push(...list.flatMap(checkValue));
  if (operator === 'In' || operator === 'NotIn') {
    if (list.length === 0) problems.push('In and NotIn need values, list at least one');
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (list.length > 0) problems.push('Exists and DoesNotExist take no values, remove them');
  } else {
    problems.push(`operator must be one of ${SELECTOR_OPERATORS.join(', ')}`);
  }
  return problems;
}

function checkKey(key: unknown): string[] {
  const parts = typeof key === 'string' ? key.split('/') : [];
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const valid =
    (parts.length === 1 || parts.length === 2) &&
    name.length <= 63 &&
    LABEL_NAME.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && LABEL_PREFIX.test(prefix)));
  return valid ? [] : [`${quoted(key)} is no label key, write name or prefix/name, such as app.kubernetes.io/name`];
}

function checkValue(value: unknown): string[] {
  if (typeof value === 'string' && (value === '' || (value.length <= 63 && LABEL_NAME.test(value)))) return [];
  return [
    `${quoted(value)} is no label value: up to 63 letters, digits, '-', '_' and '.' in quotes where YAML needs them, ` +
      'with a letter or digit at both ends',
  ];
}

/** Short enough for a condition's message, whatever was written. */
function quoted(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : `a value of type ${typeof value}`;
}

function prefixed(where: string, problems: string[]): string[] {
  return problems.map((problem) => (problem.startsWith('.') ? `${where}${problem}` : `${where}: ${problem}`));
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
