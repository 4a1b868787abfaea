import type { Change, Identity } from '#domain';
import { toSingleLine } from './escape-text.ts';

const EVENT_ID = 'Event-Id';

/** The message of an admitted or an observed change's own commit; ends with a newline. */
export function commitMessage(change: Change): string {
  return change.origin === 'observed' ? observedMessage(change) : admittedMessage(change);
}

/** One message for several observed changes that are committed together. */
export function resyncMessage(changes: readonly Change[]): string {
  const [only] = changes;
  if (changes.length === 1 && only !== undefined) return commitMessage(only);
  return render(
    `[RESYNC] ${changes.length} objects`,
    changes.map((change) => `- ${change.operation} ${place(change)}${managers(change)}`),
    changes,
  );
}

function admittedMessage(change: Change): string {
  const others = change.alsoRequestedBy.map(word).filter((name) => name !== '');
  return render(
    `[${change.operation}] ${place(change)} by user/${word(change.user)}`,
    [
      `- Resource: ${resource(change)}`,
      ...(change.object.namespace === undefined ? [] : [`- Namespace: ${word(change.object.namespace)}`]),
      `- Operation: ${change.operation}`,
      `- User: ${word(change.user)}`,
      ...(others.length === 0 ? [] : [`- Also requested by: ${others.join(', ')}`]),
      `- Timestamp: ${timestamp(change.admittedAt)}`,
      `- Resource Version: ${word(change.resourceVersion)}`,
    ],
    [change],
  );
}

function observedMessage(change: Change): string {
  const names = change.managers.map(word).filter((name) => name !== '');
  return render(
    `[RESYNC] ${place(change)}`,
    [
      `- Resource: ${resource(change)}`,
      ...(change.object.namespace === undefined ? [] : [`- Namespace: ${word(change.object.namespace)}`]),
      `- Operation: ${change.operation}`,
      ...(names.length === 0 ? [] : [`- Managers: ${names.join(', ')}`]),
      `- Timestamp: ${timestamp(change.admittedAt)}`,
      `- Resource Version: ${word(change.resourceVersion)}`,
    ],
    [change],
  );
}

function render(subject: string, lines: string[], changes: readonly Change[]): string {
  const trailers = changes.map((change) => `${EVENT_ID}: ${word(change.eventId)}`);
  return `${subject}\n\n${lines.join('\n')}\n\n${trailers.join('\n')}\n`;
}

function resource(change: Change): string {
  return `${word(change.object.kind)}/${word(change.object.name)}`;
}

function place(change: Change): string {
  const { namespace } = change.object;
  return namespace === undefined ? resource(change) : `${resource(change)} in ns/${word(namespace)}`;
}

function managers(change: Change): string {
  const names = change.managers.map(word).filter((name) => name !== '');
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}

function word(text: string): string {
  return toSingleLine(text);
}

/** Seconds, UTC: `2026-01-31T18:30:00Z`. A time that no date can hold becomes the epoch. */
function timestamp(milliseconds: number): string {
  const date = new Date(milliseconds);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** The event ids in a commit message's last paragraph: the inverse of what the messages above end with. */
export function readEventIds(message: string): string[] {
  const paragraphs = message.trimEnd().split(/\n{2,}/);
  if (paragraphs.length < 2) return [];
  return (paragraphs.at(-1) ?? '')
    .split('\n')
    .map((line) => /^Event-Id: (.+)$/.exec(line)?.[1])
    .filter((id) => id !== undefined);
}

/** How an event id is written into a message; compare with this, not with the raw one. */
export function writtenEventId(eventId: string): string {
  return word(eventId);
}

/** The version that a commit's message names; undefined for foreign and grouped commits. */
export function readResourceVersion(message: string): string | undefined {
  return /^- Resource Version: (\d+)$/m.exec(message)?.[1];
}

/** The Git author of a change: the user where one is known, else the committer. */
export function authorOf(change: Change, target: { committer: Identity; authorEmailDomain: string }): Identity {
  if (change.origin === 'observed' || change.user === '') return target.committer;
  const user = change.user;
  const email = /^[^\s@<>]+@[^\s@<>]+$/.test(toSingleLine(user)) ? user : `${user}@${target.authorEmailDomain}`;
  return { name: user, email };
}

/** An identity as a commit's header takes it: no character of either part can end it or begin another one. */
export function identityText(identity: Identity): string {
  const name = toSingleLine(identity.name).replace(/[<>]/g, '').trim();
  const email = toSingleLine(identity.email).replace(/[<>]/g, '').replace(/\s+/g, '-');
  return `${name === '' ? 'unknown' : name} <${email === '' ? 'unknown' : email}>`;
}
