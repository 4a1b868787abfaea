import type { Commit } from './git-remote.ts';

export interface ExpectedMessage {
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  resource: string;
  namespace?: string;
  user: string;
  resourceVersion: string;
}

/** The message that a change's commit has to have; time and event id, which nobody can foretell, are the commit's own. */
export function expectedMessage(commit: Commit, expected: ExpectedMessage): string {
  const { operation, resource, namespace, user, resourceVersion } = expected;
  const eventId = /^Event-Id: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/m.exec(commit.message)?.[1];
  const timestamp = new Date(commit.authoredAt).toISOString().replace('.000Z', 'Z');
  return [
    `[${operation}] ${resource}${namespace === undefined ? '' : ` in ns/${namespace}`} by user/${user}`,
    '',
    `- Resource: ${resource}`,
    ...(namespace === undefined ? [] : [`- Namespace: ${namespace}`]),
    `- Operation: ${operation}`,
    `- User: ${user}`,
    `- Timestamp: ${timestamp}`,
    `- Resource Version: ${resourceVersion}`,
    '',
    `Event-Id: ${eventId}`,
  ].join('\n');
}
