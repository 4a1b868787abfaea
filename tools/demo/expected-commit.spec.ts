import { describe, expect, it } from '@jest/globals';
import type { Commit } from '../git-remote/index.ts';
import { problemsOf, type ExpectedCommit } from './expected-commit.ts';

const EXPECTED: ExpectedCommit = {
  operation: 'UPDATE',
  kind: 'ConfigMap',
  name: 'app-config',
  namespace: 'production',
  user: 'admin@company.com',
  resourceVersion: '12345',
  contains: ['LOG_LEVEL: debug'],
  lacks: ['uid:'],
};
const FILE = 'data:\n  LOG_LEVEL: debug\n';
const COMMIT: Commit = {
  sha: '0'.repeat(40),
  parents: [],
  author: { name: 'admin@company.com', email: 'admin@company.com' },
  committer: { name: 'GitOps Reverser', email: 'gitops-reverser@users.noreply.cluster.local' },
  authoredAt: Date.parse('2026-01-31T18:30:00Z'),
  committedAt: Date.parse('2026-01-31T18:30:01Z'),
  message: `[UPDATE] ConfigMap/app-config in ns/production by user/admin@company.com

- Resource: ConfigMap/app-config
- Namespace: production
- Operation: UPDATE
- User: admin@company.com
- Timestamp: 2026-01-31T18:30:00Z
- Resource Version: 12345

Event-Id: 705ab4f5-6393-11e8-b7cc-42010a800002`,
  files: [{ status: 'M', path: 'namespaces/production/ConfigMap/app-config.yaml' }],
};

describe('problemsOf a commit', () => {
  it('finds none in a right one', () => {
    expect(problemsOf(EXPECTED, COMMIT, FILE)).toEqual([]);
  });

  it.each<[string, Partial<Commit>, string | undefined, RegExp]>([
    ['another author', { author: { name: 'alice', email: 'a@b.c' } }, FILE, /author is alice/],
    ['another e-mail address', { author: { name: 'admin@company.com', email: 'a@b.c' } }, FILE, /author is/],
    ['another committer', { committer: { name: 'Eve', email: 'e@v.e' } }, FILE, /committer is Eve/],
    ['another version', { message: COMMIT.message.replace('12345', '12346') }, FILE, /message is not/],
    ['an added trailer', { message: `${COMMIT.message}\nSigned-off-by: Eve` }, FILE, /message is not/],
    ['another author date', { authoredAt: 0 }, FILE, /author date/],
    ['a second file', { files: [...COMMIT.files, { status: 'A', path: 'x' }] }, FILE, /does not change just/],
    ['another content', {}, 'data: {}', /does not hold LOG_LEVEL: debug/],
    ['a field of the server', {}, `${FILE}uid: x`, /holds uid:/],
    ['a missing file', {}, undefined, /is missing/],
  ])('finds %s', (_, change, file, problem) => {
    expect(problemsOf(EXPECTED, { ...COMMIT, ...change }, file).join('\n')).toMatch(problem);
  });
});
