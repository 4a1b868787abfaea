import { describe, expect, it } from '@jest/globals';
import type { KubeObject, ObjectRef } from '#domain';
import { buildRecord, provenState } from './build-record.ts';
import type { Call } from './build-record.ts';

const REF: ObjectRef = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  namespace: 'shop',
  name: 'a',
  uid: 'u1',
};
const REPOSITORY = { namespace: 'shop', name: 'repo' };
const digest = (text: string) => ({ content: `c-${text}`, fingerprint: `f-${text}` });
const stateAt = (resourceVersion: string, more: KubeObject['metadata'] = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', uid: 'u1', resourceVersion, ...more },
});
const sanitized = (text: string) => ({ content: `file ${text}`, digest: digest(text) });

const UPDATE: Call = {
  id: 'request',
  operation: 'UPDATE',
  ref: REF,
  user: 'alice',
  admittedAt: 1_000,
  wantedBy: [REPOSITORY],
  old: { object: stateAt('5'), sanitized: sanitized('old'), selected: true },
  asked: sanitized('new'),
};

describe('buildRecord', () => {
  it('says of an update what it started from and what it asked for', () => {
    expect(buildRecord(UPDATE)).toEqual({
      object: REF,
      attempt: {
        id: 'request',
        operation: 'UPDATE',
        object: REF,
        base: '5',
        target: digest('new'),
        user: 'alice',
        admittedAt: 1_000,
        wantedBy: [REPOSITORY],
        content: 'file new',
      },
      base: { uid: 'u1', state: { version: '5', dying: false, ...digest('old') }, content: 'file old' },
    });
  });

  it('says of a creation that it started from nothing', () => {
    const record = buildRecord({ ...UPDATE, operation: 'CREATE', old: undefined });
    expect(record).not.toHaveProperty('base');
    expect(record.attempt).toMatchObject({ base: null, target: digest('new'), content: 'file new' });
  });

  it('says of a deletion which state goes, and holds no text for it', () => {
    const { attempt } = buildRecord({ ...UPDATE, operation: 'DELETE', asked: undefined });
    expect(attempt).toMatchObject({ base: '5', target: digest('old') });
    expect(attempt).not.toHaveProperty('content');
  });

  it('holds no text that nobody wants', () => {
    const { attempt, base } = buildRecord({ ...UPDATE, wantedBy: [], old: { ...UPDATE.old!, selected: false } });
    expect(attempt).not.toHaveProperty('content');
    expect(base).not.toHaveProperty('content');
    expect(base?.state.unselected).toBe(true);
  });
});

describe('provenState', () => {
  it('says that an object is dying', () => {
    const dying = stateAt('7', { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(provenState(dying, digest('x'))).toEqual({ version: '7', dying: true, ...digest('x') });
  });
});
