export interface Commit {
  sha: string;
  parents: string[];
  author: { name: string; email: string };
  committer: { name: string; email: string };
  /** Milliseconds since the epoch, whole seconds. */
  authoredAt: number;
  committedAt: number;
  /** As stored, without the final line break. */
  message: string;
  /** Against its first parent. */
  files: { status: 'A' | 'M' | 'D' | 'T'; path: string }[];
}

/**
 * Reads the output of `git cat-file --batch` and of `git diff-tree --stdin -z --name-status` for the same commits. Both
 * give sizes or NUL bytes, so that no message and no file name can pretend to be something else.
 */
export function parseCommits(objects: string, changes: string): Commit[] {
  const files = parseChanges(changes);
  const bytes = Buffer.from(objects, 'utf8');
  const commits: Commit[] = [];
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf('\n', at);
    const [sha = '', type, size] = bytes.subarray(at, lineEnd).toString('utf8').split(' ');
    if (type !== 'commit') throw new Error(`Expected a commit, got ${type}`);
    const end = lineEnd + 1 + Number(size);
    commits.push({
      sha,
      ...parseCommit(bytes.subarray(lineEnd + 1, end).toString('utf8')),
      files: files.get(sha) ?? [],
    });
    at = end + 1;
  }
  return commits;
}

function parseCommit(text: string): Omit<Commit, 'sha' | 'files'> {
  const split = text.indexOf('\n\n');
  const headers = text.slice(0, split).split('\n');
  const header = (name: string): string => headers.find((line) => line.startsWith(`${name} `))!.slice(name.length + 1);
  const author = parseIdentity(header('author'));
  const committer = parseIdentity(header('committer'));
  return {
    parents: headers.filter((line) => line.startsWith('parent ')).map((line) => line.slice('parent '.length)),
    author: author.identity,
    committer: committer.identity,
    authoredAt: author.time,
    committedAt: committer.time,
    message: text.slice(split + 2).replace(/\n$/, ''),
  };
}

function parseIdentity(text: string): { identity: { name: string; email: string }; time: number } {
  const [, name = '', email = '', seconds] = /^(.*?) ?<(.*)> (\d+) [+-]\d{4}$/.exec(text) ?? [];
  return { identity: { name, email }, time: Number(seconds) * 1000 };
}

function parseChanges(changes: string): Map<string, Commit['files']> {
  const all = new Map<string, Commit['files']>();
  const words = changes.split('\0');
  let files: Commit['files'] = [];
  for (let at = 0; at < words.length - 1; at++) {
    const word = words[at]!;
    const sha = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.exec(word)?.[0];
    if (sha === undefined) files.push({ status: word as 'A', path: words[++at]! });
    else all.set(sha, (files = []));
  }
  return all;
}
