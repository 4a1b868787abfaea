import type { ProvenState } from '#domain';

/** One state of the simulated object: what tells states apart, and nothing else. */
export interface SimulatedObject {
  uid: string;
  /** resourceVersion; `''` in a state that was only asked for. */
  version: string;
  /** What users write. */
  body: string;
  /** Its parts that controllers write: the number of `scale`, and a label that comes through status. */
  replicas: number;
  label: number;
  /** A rule selects the object, by another label. */
  selected: boolean;
  /** Holds a default that only the stored version of its kind has. */
  defaulted: boolean;
  /** An annotation that comes through status and that the sanitizer removes. */
  annotation: number;
  /** managedFields without subresources: who wrote the body, and when. */
  owners: string[];
  /** 0 for kinds without one. */
  generation: number;
  /** In ms since the epoch. */
  writtenAt: number;
  dying: boolean;
}

/** The sanitized file. The model's digests are the texts themselves. */
export function contentOf({ body, replicas, label, selected, defaulted }: SimulatedObject): string {
  return `${body} replicas=${replicas} label=${label}${selected ? '' : ' unselected'}${defaulted ? ' default' : ''}`;
}

export function fingerprintOf({ owners, generation, label, annotation, selected }: SimulatedObject): string {
  return `${owners.join('+')} g${generation} l${label} a${annotation}${selected ? '' : ' unselected'}`;
}

export function stateOf(object: SimulatedObject): ProvenState {
  return {
    version: object.version,
    content: contentOf(object),
    fingerprint: fingerprintOf(object),
    dying: object.dying,
    ...(!object.selected && { unselected: true }),
    writtenAt: object.writtenAt,
  };
}

/** Whether a write that asks for `b` on top of `a` changes nothing: the API server stores no new version. */
export function isNoOp(a: SimulatedObject, b: SimulatedObject): boolean {
  return contentOf(a) === contentOf(b) && fingerprintOf(a) === fingerprintOf(b);
}

/** What a patch or an update by `manager` makes of an object. A manager that changes nothing owns nothing, unless it applies. */
export function edited(
  base: SimulatedObject,
  changes: Partial<Pick<SimulatedObject, 'body' | 'selected' | 'defaulted'>>,
  { manager, time, applies }: { manager: string; time: number; applies: boolean },
): SimulatedObject {
  const next = { ...base, ...changes };
  const changed = contentOf(next) !== contentOf(base);
  const owner = `${manager}@${time}`;
  if (!changed && (!applies || base.owners.some((each) => each.startsWith(`${manager}@`)))) return base;
  const owners = changed ? [owner] : [...base.owners, owner].sort();
  const generation = next.body === base.body || base.generation === 0 ? base.generation : base.generation + 1;
  return { ...next, version: '', owners, generation, writtenAt: time };
}
