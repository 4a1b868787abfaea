import type { Attempt, ProvenState } from '#domain';
import type { DismissReason, LedgerAttempt, Proof, ProofLimits, ProvenChange, SettledMark } from './proof.ts';
import { compareVersions } from './proof.ts';
import { electAttempt } from './elect-attempt.ts';
import { electDeletion } from './elect-deletion.ts';
import { isFulfilled, sameContent, sameForm, UNSEEN } from './version-chain.ts';
import type { Match, ProvenVersion } from './version-chain.ts';

/** What is known of one uid. */
export interface UidFacts {
  uid: string;
  attempts: LedgerAttempt[];
  /** Oldest first, the live one last where it is present. */
  versions: ProvenVersion[];
  settled: SettledMark | undefined;
  /** The uid is live (perhaps dying). */
  present: boolean;
  /** Another uid bore the name before and is known to be gone. */
  follows: boolean;
}

type Part = Proof;

/** Enough of a digest to tell doubts apart. */
const DIGEST_CHARS = 16;

/** Decides the attempts on one uid by walking its chain of proven versions. */
export function proveUid(facts: UidFacts, now: number, limits: ProofLimits): Part {
  const part: Part = { changes: [], dismissed: [], pending: [], settled: undefined, doubts: [] };
  const dismiss = (attempts: Attempt[], reason: DismissReason): void => {
    for (const attempt of attempts) part.dismissed.push({ attempt, reason });
  };
  const wait = (attempts: LedgerAttempt[]): void => {
    for (const attempt of attempts) {
      if (now - attempt.admittedAt > limits.requestLimitMs) dismiss([attempt], 'rejected');
      else part.pending.push(attempt);
    }
  };

  const chain = openChain(facts);
  const creates = facts.attempts.filter((a) => a.base === null);
  const first = facts.versions[0];
  if (first === undefined) {
    // Even where another uid bears the name: that one may go before this creation is stored.
    wait(facts.attempts);
    return part;
  }
  if (facts.settled === undefined && creates.length > 0) proveCreation(creates, first, limits, part);
  else dismiss(creates, 'superseded');
  if (creates.length === 0 && facts.settled === undefined && isSelectedAlive(first)) tellFirst(facts, first, part);

  const known = new Set(chain.map((v) => v.version));
  const later = facts.attempts.filter((a) => a.base !== null);
  dismiss(
    later.filter((a) => !known.has(a.base ?? '')),
    'superseded',
  );
  const from = (version: ProvenVersion, deletes: boolean): LedgerAttempt[] =>
    later.filter((a) => a.base === version.version && (a.operation === 'DELETE') === deletes);

  let deletions: Attempt[] = [];
  const whileDying: Attempt[] = [];
  let alive: ProvenVersion | undefined;
  let left = false;
  let contested = false;
  chain.forEach((version, index) => {
    const next = chain[index + 1];
    if (version.dying) {
      whileDying.push(...from(version, true));
      dismiss([...from(version, false), ...from(version, true)], 'dying');
      return;
    }
    alive = version;
    if (next !== undefined && !next.dying) {
      dismiss(from(version, true), 'superseded');
      proveStep({ uid: facts.uid, version, next }, from(version, false), limits, part);
      return;
    }
    deletions = from(version, true);
    contested = from(version, false).some((a) => !isFulfilled(a.target, version));
    left = hasLeft(version, from(version, false), next);
    proveLast(version, from(version, false), next === undefined && facts.present, { dismiss, wait });
  });

  const last = chain.at(-1) ?? first;
  const ended = !facts.present || last.dying;
  // What is first seen dying was not announced to be so: Git may hold it.
  if (alive === undefined && facts.settled === undefined) {
    alive = first;
    left = isUnselected(first);
  }
  if (ended && alive !== undefined) {
    const elected = electDeletion(deletions, limits.deleteTieMs, whileDying);
    // A deletion has no content by which it could be told from another one, whose record may be on its way.
    if (contested || !isUnselected(alive)) part.doubts.push(`${facts.uid} gone`);
    proveDeletion(facts.uid, { deletions, elected, left }, alive, part);
  } else wait(deletions);
  part.settled = { uid: facts.uid, version: last.version, gone: ended };
  return part;
}

/** The first known state of an object whose creation is not known. */
function tellFirst({ uid, follows }: UidFacts, first: ProvenVersion, part: Part): void {
  if (follows) part.doubts.push(doubtAbout(uid, first));
  part.changes.push(observed(uid, first, !follows));
}

function isSelectedAlive(version: ProvenVersion): boolean {
  return !version.dying && isTold(version);
}

/** Whether a state that nothing explains is anybody's business, and known. */
function isTold({ forms }: ProvenVersion): boolean {
  return !forms.some(({ unselected, content }) => unselected === true || content === UNSEEN.content);
}

function isUnselected({ forms }: ProvenVersion): boolean {
  return forms.some((form) => form.unselected === true);
}

/** The versions still to be decided: from the settled one on, whose content may have been forgotten. */
function openChain(facts: UidFacts): ProvenVersion[] {
  const { settled } = facts;
  if (settled === undefined) return facts.versions;
  const open = facts.versions.filter((v) => compareVersions(v.version, settled.version) >= 0);
  if (open.length === 0 || open[0]?.version === settled.version) return open;
  // What lies between is not known: the step from here explains nothing by itself.
  return [{ version: settled.version, forms: [], dying: settled.gone }, ...open];
}

function proveCreation(creates: Attempt[], first: ProvenVersion, limits: ProofLimits, part: Part): void {
  const winner = electAttempt(creates, first, limits.deleteTieMs) ?? {
    attempt: creates[creates.length - 1]!,
    match: undefined,
    alsoRequestedBy: [],
  };
  for (const attempt of creates) {
    if (attempt !== winner.attempt) part.dismissed.push({ attempt, reason: 'superseded' });
  }
  const { uid } = winner.attempt.object;
  if (!isCertain(winner.match)) part.doubts.push(doubtAbout(uid, first));
  part.changes.push(persisted(winner.attempt, first, winner.match, winner.alsoRequestedBy));
  if (winner.match === undefined && isSelectedAlive(first)) part.changes.push(observed(uid, first));
}

function proveStep(
  { uid, version, next }: { uid: string; version: ProvenVersion; next: ProvenVersion },
  attempts: Attempt[],
  limits: ProofLimits,
  part: Part,
): void {
  // Who asked for what was there already changed nothing, also where something else changed then.
  const changing = attempts.filter((a) => !isFulfilled(a.target, version));
  const winner = electAttempt(changing, next, limits.deleteTieMs);
  const unchanged = sameContent(version, next);
  for (const attempt of attempts) {
    if (!changing.includes(attempt)) part.dismissed.push({ attempt, reason: 'unchanged' });
    else if (attempt !== winner?.attempt) part.dismissed.push({ attempt, reason: 'superseded' });
    else if (unchanged) part.dismissed.push({ attempt, reason: 'unchanged' });
  }
  if (!isCertain(winner?.match) && !sameForm(version, next)) part.doubts.push(doubtAbout(uid, next));
  if (unchanged) return;
  if (winner !== undefined) part.changes.push(persisted(winner.attempt, next, winner.match, winner.alsoRequestedBy));
  else if (isTold(next)) part.changes.push(observed(uid, next));
}

/** Updates from the newest living version: nothing newer proves or disproves them yet. */
function proveLast(
  version: ProvenVersion,
  attempts: Attempt[],
  live: boolean,
  act: { dismiss: (attempts: Attempt[], reason: DismissReason) => void; wait: (attempts: Attempt[]) => void },
): void {
  const noOps = attempts.filter((a) => isFulfilled(a.target, version));
  const changing = attempts.filter((a) => !noOps.includes(a));
  act.dismiss(noOps, 'unchanged');
  if (live) act.wait(changing);
  else act.dismiss(changing, 'superseded');
}

/**
 * Whether no rule selected the object any more when it ended: nobody hears of that. Where the step out of the selection was
 * not seen itself, because the object ended soon after it, the attempt at it tells.
 */
function hasLeft(last: ProvenVersion, attempts: LedgerAttempt[], dying: ProvenVersion | undefined): boolean {
  if (isUnselected(last) || (dying !== undefined && isUnselected(dying))) return true;
  return attempts.some(
    ({ leaves, target }) =>
      leaves === true && (dying === undefined || dying.forms.some((form) => form.content === target.content)),
  );
}

function proveDeletion(
  uid: string,
  { deletions, elected, left }: { deletions: Attempt[]; elected: ReturnType<typeof electDeletion>; left: boolean },
  alive: ProvenVersion,
  part: Part,
): void {
  if (elected === undefined) {
    if (left) return;
    part.changes.push({ kind: 'observed', operation: 'DELETE', uid, version: alive.version, content: '' });
    return;
  }
  for (const attempt of deletions) {
    if (attempt !== elected.attempt) part.dismissed.push({ attempt, reason: 'superseded' });
  }
  part.changes.push({
    kind: 'persisted',
    attempt: elected.attempt,
    version: alive.version,
    converted: undefined,
    alsoRequestedBy: elected.alsoRequestedBy,
  });
}

/** Content alone may be somebody else's too. */
function isCertain(match: Match | undefined): boolean {
  return match === 'exact' || match === 'fingerprint';
}

/** The same for versions that differ by status alone. */
function doubtAbout(uid: string, { forms }: ProvenVersion): string {
  const { content, fingerprint } = forms.at(-1) ?? UNSEEN;
  return `${uid} ${content.slice(0, DIGEST_CHARS)} ${fingerprint.slice(0, DIGEST_CHARS)}`;
}

function persisted(
  attempt: Attempt,
  version: ProvenVersion,
  match: Match | undefined,
  alsoRequestedBy: string[],
): ProvenChange {
  const asked = version.forms.some(({ content }) => content === attempt.target.content);
  return {
    kind: 'persisted',
    attempt,
    version: version.version,
    converted: match === undefined || asked ? undefined : version.forms.at(-1),
    alsoRequestedBy,
  };
}

function observed(uid: string, { version, forms }: ProvenVersion, presumed = false): ProvenChange {
  const { content, writtenAt }: Pick<ProvenState, 'content' | 'writtenAt'> = forms.at(-1) ?? UNSEEN;
  return {
    kind: 'observed',
    operation: 'UPDATE',
    uid,
    version,
    content,
    ...(writtenAt !== undefined && { writtenAt }),
    ...(presumed && { presumed }),
  };
}
