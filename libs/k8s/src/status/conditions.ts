/** A condition as `metav1.Condition`. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  /** CamelCase, for machines. */
  reason: string;
  /** For people: what is, and what to do. */
  message: string;
  observedGeneration?: number;
  /** RFC 3339, seconds. */
  lastTransitionTime: string;
}

/** The longest message that the API conventions allow. */
const MAX_MESSAGE = 32_768;

/**
 * The conditions with one of them set: in place, or appended. `lastTransitionTime` moves only when `status` does.
 * @param now milliseconds since the epoch
 */
export function setCondition(
  conditions: readonly Condition[],
  condition: Omit<Condition, 'lastTransitionTime'>,
  now: number,
): Condition[] {
  const previous = conditions.find((other) => other.type === condition.type);
  const lastTransitionTime =
    previous?.status === condition.status
      ? previous.lastTransitionTime
      : new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  const next = { ...condition, message: condition.message.slice(0, MAX_MESSAGE), lastTransitionTime };
  return previous === undefined
    ? [...conditions, next]
    : conditions.map((other) => (other.type === condition.type ? next : other));
}

/** Where an object stands, in the terms of kstatus. */
export type Readiness = 'ready' | 'reconciling' | 'stalled';

/**
 * The conditions with Ready, Reconciling and Stalled as kstatus (and `kubectl wait`, Flux, Argo CD) read them: Ready is always there,
 * Reconciling and Stalled only while they are true. Other types stay. Reconciling: it will go on by itself. Stalled: a person must act.
 */
export function setReadiness(
  conditions: readonly Condition[],
  readiness: Readiness,
  detail: { reason: string; message: string; observedGeneration?: number },
  now: number,
): Condition[] {
  const gone =
    readiness === 'reconciling' ? ['Stalled'] : readiness === 'stalled' ? ['Reconciling'] : ['Stalled', 'Reconciling'];
  const kept = conditions.filter((condition) => !gone.includes(condition.type));
  const withReady = setCondition(
    kept,
    { type: 'Ready', status: readiness === 'ready' ? 'True' : 'False', ...detail },
    now,
  );
  if (readiness === 'ready') return withReady;
  const type = readiness === 'reconciling' ? 'Reconciling' : 'Stalled';
  return setCondition(withReady, { type, status: 'True', ...detail }, now);
}
