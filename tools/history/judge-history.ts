import { DEFAULT_AUTHOR_EMAIL_DOMAIN, type ObjectRef } from '#domain';
import { objectPath } from '#git';
import { renderManifest, sanitizeManifest } from '#sanitizer';
import type { GitRemote } from '../git-remote/index.ts';
import { compareHistory, type Comparison } from './compare-history.ts';
import { expectHistory } from './expect-history.ts';
import { Authors } from './find-authors.ts';
import type { ObservedVersion } from './observer.ts';
import { readCommits } from './read-commits.ts';
import { auditIdOf, type WriteRecord } from './write-client.ts';

export interface Judgement extends Comparison {
  /** Changes that Git must hold. */
  persisted: number;
  commits: number;
}

interface JudgedStage {
  run: string;
  remote: GitRemote;
  digestKey: Uint8Array;
  /** Audit ids of requests that the webhook did not hear of. */
  failedOpenRequests: () => Promise<Set<string>>;
}

/** Compares what the watch showed with what is in the repository now. */
export async function judgeHistory(
  { run, remote, digestKey, failedOpenRequests }: JudgedStage,
  versions: readonly ObservedVersion[],
  records: readonly WriteRecord[],
): Promise<Judgement> {
  const unheard = await failedOpenRequests();
  const expected = expectHistory(versions, new Authors(records), {
    pathOf: pathOfVersion,
    failedOpen: ({ id }) => unheard.has(auditIdOf(run, id)),
    contentOf: (object) => renderManifest(sanitizeManifest(object, { digestKey })),
  });
  const commits = await readCommits(remote);
  const persisted = [...expected.values()].flat().filter(({ demand }) => demand === 'required').length;
  return { ...compareHistory(expected, commits, emailOf), persisted, commits: commits.length };
}

export function refOfVersion({ kind, object }: ObservedVersion): ObjectRef {
  const { group, version, resource } = kind;
  const { namespace, name = '', uid = '' } = object.metadata;
  return { group, version, kind: kind.kind, resource, ...(namespace !== undefined && { namespace }), name, uid };
}

export function pathOfVersion(version: ObservedVersion): string {
  return objectPath(refOfVersion(version), '');
}

function emailOf(user: string): string {
  return user.includes('@') ? user : `${user}@${DEFAULT_AUTHOR_EMAIL_DOMAIN}`;
}
