import { describe, expect, it } from '@jest/globals';
import { chooseArchive } from './download-envtest.ts';

function indexOf(...names: string[]): unknown {
  const entry = (version: string, platform: string): [string, object] => [
    `envtest-${version}-${platform}.tar.gz`,
    { hash: `hash of ${version}`, selfLink: `https://example.com/${version}/${platform}` },
  ];
  return {
    releases: Object.fromEntries(names.map((name) => [name, Object.fromEntries([entry(name, 'linux-amd64')])])),
  };
}

describe('chooseArchive', () => {
  it.each([
    ['the pinned version', indexOf('v1.36.0', 'v1.36.3', 'v1.36.4'), 'v1.36.3'],
    ['the newest patch release where the pinned one is missing', indexOf('v1.36.2', 'v1.36.10', 'v1.36.9'), 'v1.36.10'],
  ])('takes %s', (_, index, version) => {
    expect(chooseArchive(index, '1.36.3', 'linux-amd64')).toEqual({
      version,
      sha512: `hash of ${version}`,
      url: `https://example.com/${version}/linux-amd64`,
    });
  });

  it.each([
    ['another minor version only', indexOf('v1.35.9', 'v1.37.0', 'v1.360.0'), 'linux-amd64'],
    ['a preview only', indexOf('v1.36.0-rc.1'), 'linux-amd64'],
    ['another platform only', indexOf('v1.36.3'), 'darwin-arm64'],
    ['no list at all', '<html>not found</html>', 'linux-amd64'],
    [
      'an entry without a hash',
      { releases: { 'v1.36.3': { 'envtest-v1.36.3-linux-amd64.tar.gz': {} } } },
      'linux-amd64',
    ],
  ])('takes none from an index with %s', (_, index, platform) => {
    expect(chooseArchive(index, '1.36.3', platform)).toBeUndefined();
  });
});
