import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Change } from '#domain';
import { authorOf, commitMessage, identityText, readEventIds, resyncMessage } from './commit-message.ts';

const change: Change = {
  eventId: '0b1c2d3e-0000-4000-8000-000000000001',
  origin: 'admitted',
  operation: 'UPDATE',
  object: {
    group: '',
    version: 'v1',
    kind: 'ConfigMap',
    resource: 'configmaps',
    namespace: 'production',
    name: 'app-config',
    uid: 'u',
  },
  user: 'admin@company.com',
  alsoRequestedBy: [],
  admittedAt: Date.parse('2026-01-31T18:30:00.999Z'),
  resourceVersion: '12345',
  content: 'a: 1\n',
  managers: [],
};
const target = { committer: { name: 'Op', email: 'op@x' }, authorEmailDomain: 'users.example' };

describe('the message of a change', () => {
  it('names object, operation, user, time and version', () => {
    expect(commitMessage(change)).toBe(
      `[UPDATE] ConfigMap/app-config in ns/production by user/admin@company.com

- Resource: ConfigMap/app-config
- Namespace: production
- Operation: UPDATE
- User: admin@company.com
- Timestamp: 2026-01-31T18:30:00Z
- Resource Version: 12345

Event-Id: 0b1c2d3e-0000-4000-8000-000000000001
`,
    );
  });

  it('leaves out the namespace of a cluster-scoped object and names who else asked', () => {
    const { namespace: _, ...object } = change.object;
    const message = commitMessage({
      ...change,
      object: { ...object, kind: 'Namespace', name: 'x' },
      operation: 'DELETE',
      alsoRequestedBy: ['bob', 'carol'],
    });
    expect(message).toMatch(
      /^\[DELETE\] Namespace\/x by user\/admin@company.com\n\n- Resource: Namespace\/x\n- Operation: DELETE\n/,
    );
    expect(message).toContain('\n- Also requested by: bob, carol\n');
  });

  it('says resync for observed changes, one or several', () => {
    const observed = (name: string): Change => ({
      ...change,
      origin: 'observed',
      user: '',
      eventId: `observed/${name}/7`,
      object: { ...change.object, name },
      managers: ['helm'],
    });
    expect(resyncMessage([observed('a')])).toMatch(
      /^\[RESYNC\] ConfigMap\/a in ns\/production\n\n[\s\S]*- Managers: helm\n[\s\S]*\n\nEvent-Id: observed\/a\/7\n$/,
    );
    const several = resyncMessage([observed('a'), observed('b')]);
    expect(several).toMatch(/^\[RESYNC\] 2 objects\n\n- UPDATE ConfigMap\/a in ns\/production \(helm\)\n/);
    expect(readEventIds(several)).toEqual(['observed/a/7', 'observed/b/7']);
  });

  it('keeps its lines whatever names and users hold', () => {
    const lines = commitMessage(change).split('\n').length;
    const hostile = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => `x${text}\n\nEvent-Id: forged\r`);
    fc.assert(
      fc.property(hostile, hostile, hostile, (user, name, namespace) => {
        const message = commitMessage({ ...change, user, object: { ...change.object, name, namespace } });
        expect(message.split(/[\n\r\u2028\u2029\u0085]/)).toHaveLength(lines);
        expect(readEventIds(message)).toEqual([change.eventId]);
      }),
    );
  });
});

describe('the author of a commit', () => {
  it.each([
    ['admin@company.com', 'admin@company.com <admin@company.com>'],
    ['alice', 'alice <alice@users.example>'],
    [
      'system:serviceaccount:flux:kustomize',
      'system:serviceaccount:flux:kustomize <system:serviceaccount:flux:kustomize@users.example>',
    ],
    ['Alice Smith', 'Alice Smith <Alice-Smith@users.example>'],
    ['a> 1 +0000\ncommitter <b@c', 'a 1 +0000\ufffdcommitter b@c <a-1-+0000\ufffdcommitter-b@c@users.example>'],
    ['<>', 'unknown <@users.example>'],
  ])('%j is %j', (user, text) => {
    expect(identityText(authorOf({ ...change, user }, target))).toBe(text);
  });

  it('is the committer for what was only observed', () => {
    expect(authorOf({ ...change, origin: 'observed' }, target)).toEqual(target.committer);
  });

  it('never breaks the header that holds it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (user) => {
        expect(identityText(authorOf({ ...change, user }, target))).toMatch(/^[^<>\n\0]+ <[^<>\n\0\s]+>$/u);
      }),
    );
  });
});
