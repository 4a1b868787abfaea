import type { Commit, GitRemote } from '../git-remote/index.ts';
import { hermeticGitEnv } from '../git-remote/git-env.ts';
import { runCommand } from '../lib/run-command.ts';
import type { FileCommit } from './compare-history.ts';

/** Every file change of every commit of the operator, oldest first, with the file's text as it was then. */
export async function readCommits(remote: GitRemote): Promise<FileCommit[]> {
  const commits = (await remote.log()).reverse().filter((commit) => eventIdsOf(commit).length > 0);
  const wanted = commits.flatMap((commit) => commit.files.map((file) => ({ commit, file })));
  const kept = wanted.filter(({ file }) => file.status !== 'D');
  const input = kept.map(({ commit, file }) => `${commit.sha}:${file.path}\n`).join('');
  const blobs = parseBlobs(await catFile(remote, input));
  const contents = new Map(kept.map(({ commit, file }, index) => [`${commit.sha}:${file.path}`, blobs[index]]));
  return wanted.map(({ commit, file }) => ({
    sha: commit.sha,
    path: file.path,
    content: contents.get(`${commit.sha}:${file.path}`) ?? null,
    observed: commit.message.startsWith('[RESYNC]'),
    operation: /^\[(\w+)\]/.exec(commit.message)?.[1] ?? '',
    author: commit.author.email,
    alsoRequestedBy: /^- Also requested by: (.*)$/m.exec(commit.message)?.[1]?.split(', ') ?? [],
    eventIds: eventIdsOf(commit),
    resourceVersion: /^- Resource Version: (\d+)$/m.exec(commit.message)?.[1],
  }));
}

function eventIdsOf(commit: Commit): string[] {
  return [...commit.message.matchAll(/^Event-Id: (.+)$/gm)].map(([, id = '']) => id);
}

function catFile(remote: GitRemote, input: string): Promise<string> {
  return runCommand('git', ['-C', remote.dir, 'cat-file', '--batch'], { env: hermeticGitEnv(), input });
}

/** Texts from `git cat-file --batch`: sizes tell where each ends. */
function parseBlobs(output: string): string[] {
  const bytes = Buffer.from(output, 'utf8');
  const blobs: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf('\n', at);
    const [, type, size] = bytes.subarray(at, lineEnd).toString('utf8').split(' ');
    if (type !== 'blob') throw new Error(`Expected a blob, got ${bytes.subarray(at, lineEnd).toString('utf8')}`);
    const end = lineEnd + 1 + Number(size);
    blobs.push(bytes.subarray(lineEnd + 1, end).toString('utf8'));
    at = end + 1;
  }
  return blobs;
}
