import { describe, expect, it } from '@jest/globals';
import { Readiness } from './readiness.service.ts';

describe('Readiness', () => {
  it('says of each step that is missing what to do, and takes none back', () => {
    const readiness = new Readiness();
    expect(Object.keys(readiness.missing())).toEqual(
      expect.arrayContaining(['redis', 'keys', 'certificate', 'informers', 'webhook']),
    );
    expect(readiness.missing()['redis']).toMatch(/check REDIS_URL/);
    for (const step of ['redis', 'keys', 'certificate', 'informers', 'webhook'] as const) readiness.reach(step);
    expect(readiness.missing()).toEqual({});
  });

  it('is not ready any more once the process was told to end', () => {
    const readiness = new Readiness();
    for (const step of ['redis', 'keys', 'certificate', 'informers', 'webhook'] as const) readiness.reach(step);
    readiness.end();
    expect(Object.keys(readiness.missing())).toEqual(['ending']);
  });
});
