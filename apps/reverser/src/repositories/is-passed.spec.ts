import { describe, expect, it } from '@jest/globals';
import { isPassed } from './screen-listed.ts';

const ref = {
  ...{ group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespace: 'a', name: 'b', uid: 'u1' },
};

describe('isPassed', () => {
  it.each([
    { title: 'nothing is known of the name', settled: undefined, expected: false },
    { title: 'it is where everything is decided', settled: { uid: 'u1', version: '9', gone: false }, expected: false },
    { title: 'an older version is decided', settled: { uid: 'u1', version: '8', gone: false }, expected: false },
    { title: 'a newer version is decided', settled: { uid: 'u1', version: '10', gone: false }, expected: true },
    { title: 'its deletion is decided', settled: { uid: 'u1', version: '9', gone: true }, expected: true },
    {
      title: 'an earlier object of the name is gone',
      settled: { uid: 'u0', version: '5', gone: true },
      expected: false,
    },
    { title: 'a later object bears the name', settled: { uid: 'u2', version: '12', gone: false }, expected: true },
  ])('of a state listed at version 9 says $expected where $title', ({ settled, expected }) => {
    expect(isPassed({ ref, version: '9' }, settled)).toBe(expected);
  });
});
