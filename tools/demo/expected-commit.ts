import type { Commit } from '../git-remote/index.ts';

/** What the commit of one change has to be. */
export interface ExpectedCommit {
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  kind: string;
  name: string;
  namespace: string;
  user: string;
  /** The version that the API server answered; for DELETE the one that was deleted. */
  resourceVersion: string;
  /** Each must occur in the file, or match it. */
  contains: (string | RegExp)[];
  /** None may occur. */
  lacks: string[];
}

const COMMITTER = 'GitOps Reverser';
const STATUS = { CREATE: 'A', UPDATE: 'M', DELETE: 'D' } as const;

export function subjectOf({ operation, kind, name, namespace, user }: ExpectedCommit): string {
  return `[${operation}] ${kind}/${name} in ns/${namespace} by user/${user}`;
}

export function pathOf({ namespace, kind, name }: ExpectedCommit): string {
  return `namespaces/${namespace}/${kind}/${name}.yaml`;
}

/** What is wrong with a commit, in words; nothing where all is right. `file` is the text after it, `undefined` where it is gone. */
export function problemsOf(expected: ExpectedCommit, commit: Commit, file: string | undefined): string[] {
  const { operation, kind, name, namespace, user, resourceVersion } = expected;
  const [, timestamp = '', eventId = ''] = /Timestamp: (\S+)[^]*\nEvent-Id: (\S+)$/.exec(commit.message) ?? [];
  const message = [
    subjectOf(expected),
    '',
    `- Resource: ${kind}/${name}`,
    `- Namespace: ${namespace}`,
    `- Operation: ${operation}`,
    `- User: ${user}`,
    `- Timestamp: ${timestamp}`,
    `- Resource Version: ${resourceVersion}`,
    '',
    `Event-Id: ${eventId}`,
  ].join('\n');
  const email = user.includes('@') ? user : `${user}@users.noreply.cluster.local`;
  const path = pathOf(expected);
  const text = file ?? '';
  const checks: [boolean, string][] = [
    [commit.message === message, `its message is not\n${message}\nbut\n${commit.message}`],
    [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(timestamp), `its Timestamp is ${timestamp}`],
    [/^[0-9a-f-]{36}$/.test(eventId), `its Event-Id is ${eventId}`],
    [commit.author.name === user && commit.author.email === email, `its author is ${identity(commit.author)}`],
    [commit.committer.name === COMMITTER, `its committer is ${identity(commit.committer)}`],
    [Date.parse(timestamp) === commit.authoredAt, `its author date is not ${timestamp}`],
    [
      commit.files.length === 1 && commit.files[0]?.path === path && commit.files[0].status === STATUS[operation],
      `it does not change just ${path}: ${commit.files.map((change) => `${change.status} ${change.path}`).join(', ')}`,
    ],
    [
      (file === undefined) === (operation === 'DELETE'),
      file === undefined ? `${path} is missing` : `${path} is still there`,
    ],
    ...expected.contains.map((part): [boolean, string] => [
      typeof part === 'string' ? text.includes(part) : part.test(text),
      `${path} does not hold ${String(part)}:\n${text}`,
    ]),
    ...expected.lacks.map((part): [boolean, string] => [!text.includes(part), `${path} holds ${part}:\n${text}`]),
  ];
  return checks.filter(([right]) => !right).map(([, problem]) => problem);
}

function identity({ name, email }: { name: string; email: string }): string {
  return `${name} <${email}>`;
}
