import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { KubeApi } from './kube-api.ts';
import { readVersions } from './read-versions.ts';

const REF = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  namespace: 'n',
  name: 'a',
  uid: 'u',
};

/** An API server that tells these events and then ends the watch, as one does that shuts down. */
function read(events: object[]): ReturnType<typeof readVersions> {
  const lines = events.map((event) => Buffer.from(`${JSON.stringify(event)}\n`));
  const api = { stream: () => Promise.resolve(Readable.from(lines)) } as unknown as KubeApi;
  return readVersions(api, REF, { since: '1', isLast: ({ object }) => object.metadata.resourceVersion === '9' });
}

const modified = (version: string, text = ''): object => ({
  type: 'MODIFIED',
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', resourceVersion: version }, data: { text } },
});

describe('readVersions', () => {
  it('ends with the version that is asked for', async () => {
    const versions = await read([modified('8'), modified('9'), modified('10')]);
    expect(versions?.map(({ object }) => object.metadata.resourceVersion)).toEqual(['8', '9']);
  });

  it('is worth another try where the watch ends before', async () => {
    await expect(read([modified('8')])).rejects.toMatchObject({ code: 'Unreachable', retryable: true });
  });

  it('is nothing where the versions are gone, or more than memory should hold', async () => {
    await expect(read([{ type: 'ERROR', object: { code: 410, message: 'too old' } }])).resolves.toBeUndefined();
    const large = Array.from({ length: 40 }, (_, index) => modified(String(100 + index), 'x'.repeat(1_000_000)));
    await expect(read(large)).resolves.toBeUndefined();
  });
});
