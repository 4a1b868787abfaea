import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMIN } from '../control-plane/index.ts';
import type { Commit, GitRemote } from '../git-remote/index.ts';
import { waitFor } from '../lib/wait-for.ts';
import { pathOf, problemsOf, subjectOf, type ExpectedCommit } from './expected-commit.ts';
import { NAMESPACE, type Stage } from './stage.ts';
import { PASSWORD, STORY, type Step } from './story.ts';
import { paint, printable, say } from './terminal.ts';

const COMMIT_TIMEOUT_MS = 15_000;

export interface Verdict {
  problems: string[];
  latencies: number[];
}

/** Plays the story, tells it, and returns what was wrong. */
export async function play(stage: Stage, signal: AbortSignal): Promise<Verdict> {
  const verdict: Verdict = { problems: [], latencies: [] };
  const { remote } = stage;
  const before = await remote.log();
  for (const step of STORY) {
    signal.throwIfAborted();
    const problems = await playStep(step, stage, verdict.latencies, signal);
    problems.forEach((problem) => say(`  ${paint('red', `✗ ${problem}`)}`));
    verdict.problems.push(...problems);
  }
  const last = await lastProblems(remote, before);
  last.forEach((problem) => say(paint('red', `✗ ${problem}`)));
  verdict.problems.push(...last);
  return verdict;
}

async function playStep(step: Step, stage: Stage, latencies: number[], signal: AbortSignal): Promise<string[]> {
  const { remote, controlPlane } = stage;
  say(`${paint('cyan', step.user.padEnd(18))} ${paint('dim', '$')} ${step.command}`);
  const old = await remote.tip();
  const outcome = await step.act(stage.asUser(step.inGit === true ? ADMIN : step.user), stage);
  const answeredAt = performance.now();
  if (outcome === undefined) {
    say(`  ${step.inGit === true ? describe((await remote.log())[0]!) : paint('dim', `no commit: ${step.without}`)}`);
    return [];
  }
  const expected: ExpectedCommit = {
    kind: outcome.object.kind,
    name: outcome.object.metadata.name,
    namespace: NAMESPACE,
    user: step.user,
    operation: outcome.operation,
    resourceVersion: outcome.resourceVersion,
    contains: outcome.contains ?? [],
    lacks: outcome.lacks ?? [],
  };
  const tip = await nextTip(remote, old, signal).catch(() => undefined);
  signal.throwIfAborted();
  const latency = Math.max(0, performance.now() - answeredAt);
  if (tip === undefined) {
    const log = stage.operator.tail(10);
    return [
      `no commit within ${COMMIT_TIMEOUT_MS / 1000} s: ${subjectOf(expected)}\n${log}\n${controlPlane.log().slice(-500)}`,
    ];
  }
  const commit = (await remote.log()).find(({ sha }) => sha === tip)!;
  say(`  ${describe(commit)} ${paint('green', `${latency.toFixed(0)} ms`)}`);
  latencies.push(latency);
  return problemsOf(expected, commit, await remote.read(pathOf(expected)));
}

/** Looks at the ref's own file, which costs nothing and is exact to a few milliseconds. */
async function nextTip(remote: GitRemote, old: string | undefined, signal: AbortSignal): Promise<string> {
  const file = join(remote.dir, 'refs', 'heads', 'main');
  return waitFor(
    'the next commit',
    async () => {
      const tip = (await readFile(file, 'utf8')).trim();
      return tip !== '' && tip !== old && tip;
    },
    { timeoutMs: COMMIT_TIMEOUT_MS, intervalMs: 2, signal },
  );
}

/** What only the whole history can show: no commit too many, and no secret in any of them. */
async function lastProblems(remote: GitRemote, before: Commit[]): Promise<string[]> {
  const problems: string[] = [];
  const expected = STORY.filter(({ without }) => without === undefined).length;
  const commits = (await remote.log()).slice(0, -before.length || undefined);
  if (commits.length !== expected) {
    const subjects = commits.map(({ message }) => message.split('\n')[0]).join('\n  ');
    problems.push(`the story has ${expected} commits, and Git has ${commits.length}:\n  ${subjects}`);
  }
  const everything = await remote.git('log', '--all', '--patch', '--format=fuller');
  if ([PASSWORD, Buffer.from(PASSWORD).toString('base64')].some((secret) => everything.includes(secret))) {
    problems.push('the password is in Git');
  }
  return problems;
}

/** One line for one commit. */
function describe(commit: Commit): string {
  const [subject = ''] = commit.message.split('\n');
  return `${paint('yellow', commit.sha.slice(0, 8))} ${printable(subject)}  ${paint('dim', `(${printable(commit.author.name)})`)}`;
}

/** Prints each commit that lands from now on, until the signal. */
export async function follow(remote: GitRemote, signal: AbortSignal): Promise<void> {
  let known = new Set((await remote.log()).map(({ sha }) => sha));
  while (!signal.aborted) {
    const tip = await waitFor('a commit', async () => !known.has((await remote.tip()) ?? '') && (await remote.tip()), {
      timeoutMs: Number.MAX_SAFE_INTEGER,
      intervalMs: 100,
      signal,
    }).catch(() => undefined);
    if (tip === undefined) continue;
    const commits = await remote.log();
    for (const commit of commits.filter(({ sha }) => !known.has(sha)).reverse()) {
      say(`${describe(commit)}\n         ${paint('dim', commit.files.map((file) => printable(file.path)).join(', '))}`);
    }
    known = new Set(commits.map(({ sha }) => sha));
  }
}
