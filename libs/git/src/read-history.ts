import type { Identity } from '#domain';
import { readEventIds, readResourceVersion } from './commit-message.ts';
import type { HistoryCommit } from './branch-history.ts';

/** NUL-separated fields: a commit message can't hold NUL, so no text can pretend to be a field. */
export const HISTORY_FORMAT = '%x00%x00%H%x00%P%x00%ct%x00%at%x00%cn%x00%ce%x00%B%x00';

const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const STATUS = /^[ACDMRTUX]+\d*$/;

/** Parses `git log -z --name-status --format=HISTORY_FORMAT`. */
export function readHistory(output: string, committer: Identity): HistoryCommit[] {
  const tokens = output.split('\0');
  const commits: HistoryCommit[] = [];
  let paths = new Map<string, { removed: boolean }>();
  for (let at = 0; at < tokens.length; at += 1) {
    const token = (tokens[at] ?? '').replace(/^\n/, '');
    if (HASH.test(token)) {
      const [parents = '', time = '', authorTime = '', name = '', email = '', message = ''] = tokens.slice(
        at + 1,
        at + 7,
      );
      paths = new Map();
      const eventIds = readEventIds(message);
      const resourceVersion = readResourceVersion(message);
      commits.push({
        sha: token,
        parents: parents.split(' ').filter((parent) => parent !== ''),
        time: Number(time),
        authorTime: Number(authorTime),
        ours: name === committer.name && email === committer.email && eventIds.length > 0,
        eventIds,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        paths,
      });
      at += 6;
    } else if (STATUS.test(token)) {
      const path = tokens[at + 1];
      if (path !== undefined) paths.set(path, { removed: token.startsWith('D') });
      at += 1;
    }
  }
  return commits;
}
