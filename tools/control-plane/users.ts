import { randomBytes } from 'node:crypto';

/** A user of the local control plane, known by a token. */
export interface User {
  name: string;
  groups: string[];
  token: string;
}

/** `admin` may do everything and is nobody's name in a story; the others stand for the people whose changes are told apart. */
export const ADMIN = 'admin';
const PEOPLE = ['admin@company.com', 'alice', 'bob@example.com', 'carol', 'dave@example.com'];

/**
 * The administrator and the people, plus the given names. All are in system:masters: the tests are about who did what,
 * not about who may; one that is about permissions binds roles to `groups` of its own.
 */
export function makeUsers(extraNames: string[]): User[] {
  const names = new Set([ADMIN, ...PEOPLE, ...extraNames]);
  return [...names].map((name) => ({ name, groups: ['system:masters'], token: randomBytes(24).toString('hex') }));
}

/** The file of `--token-auth-file`: token, user name, uid and groups as CSV. */
export function tokenFile(users: User[]): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const line = (user: User, index: number): string =>
    [user.token, quoted(user.name), `uid-${index}`, quoted(user.groups.join(','))].join(',');
  return users.map((user, index) => `${line(user, index)}\n`).join('');
}
