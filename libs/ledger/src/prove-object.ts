import { compareVersions } from './proof.ts';
import type { LedgerAttempt, LedgerView, LiveState, Proof, ProofLimits, SettledMark } from './proof.ts';
import { proveUid } from './prove-uid.ts';
import { groupVersions } from './version-chain.ts';
import type { ProvenVersion } from './version-chain.ts';

interface UidGroup {
  uid: string;
  attempts: LedgerAttempt[];
  versions: ProvenVersion[];
}

/**
 * Decides every attempt on one object name. `live` must have been read before `view`: what is visible live was admitted
 * before, hence recorded. Pure: the same facts give the same verdicts on every replica.
 */
export function proveObject(view: LedgerView, live: LiveState, now: number, limits: ProofLimits): Proof {
  const proof: Proof = { changes: [], dismissed: [], pending: [], settled: view.settled, doubts: [] };
  for (const group of groupByUid(view, live)) {
    const settled = view.settled?.uid === group.uid ? view.settled : undefined;
    if (isPast(group, view.settled, live)) {
      for (const attempt of group.attempts) proof.dismissed.push({ attempt, reason: 'superseded' });
      continue;
    }
    const present = live?.uid === group.uid;
    // The ledger saw the end of the one that bore the name before: what comes after it without a creation was not announced.
    const follows = proof.settled?.gone === true && proof.settled.uid !== group.uid;
    const part = proveUid({ ...group, settled, present, follows }, now, limits);
    proof.changes.push(...part.changes);
    proof.dismissed.push(...part.dismissed);
    proof.pending.push(...part.pending);
    if (part.settled !== undefined) proof.settled = part.settled;
    proof.doubts.push(...part.doubts);
  }
  if (mayHaveSkipped(proof, view)) proof.doubts.push(`${proof.settled?.uid} first`);
  return proof;
}

/** Uids in the order in which they bore the name: by first proven version, those with none (creations) last. */
function groupByUid(view: LedgerView, live: LiveState): UidGroup[] {
  const uids = new Set<string>([...view.states.map((s) => s.uid), ...view.attempts.map((a) => a.object.uid)]);
  if (live !== undefined) uids.add(live.uid);
  const groups = [...uids].map((uid) => {
    const states = view.states.filter((s) => s.uid === uid).map((s) => s.state);
    if (live?.uid === uid) states.push(live.state);
    return { uid, attempts: view.attempts.filter((a) => a.object.uid === uid), versions: groupVersions(states) };
  });
  return groups.sort((a, b) => {
    const [first, second] = [a.versions[0], b.versions[0]];
    if (first === undefined || second === undefined) return Number(first === undefined) - Number(second === undefined);
    return compareVersions(first.version, second.version);
  });
}

/** Another uid bears the name now than was known, and may not be the next: of one that was to be created nothing is known yet. */
function mayHaveSkipped({ settled, pending }: Proof, view: LedgerView): boolean {
  return settled !== undefined && settled.uid !== view.settled?.uid && pending.some(({ base }) => base === null);
}

/** A late call about a uid that was already decided to be gone, or that bore the name before the settled one did. */
function isPast(group: UidGroup, settled: SettledMark | undefined, live: LiveState): boolean {
  if (settled === undefined || live?.uid === group.uid) return false;
  if (settled.uid === group.uid) return settled.gone;
  const newest = group.versions.at(-1);
  return newest !== undefined && compareVersions(newest.version, settled.version) < 0;
}
