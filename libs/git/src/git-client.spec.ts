import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { GitClient } from './git-client.ts';

function clientIn(folder: string, environment: Record<string, string>): GitClient {
  return new GitClient({
    folder,
    localEnvironment: environment,
    remoteEnvironment: environment,
    authenticated: false,
    secrets: [],
    remoteTimeLimit: 10_000,
  });
}

describe('a machine without git', () => {
  const client = clientIn(tmpdir(), { PATH: '/nowhere' });

  it.each([
    ['on this machine', () => client.local(['rev-parse', 'HEAD'])],
    ['with a stream', () => client.stream(['fast-import'], {})],
    ['with the remote', () => client.remote(['ls-remote'])],
  ])('is said to have none, by a command %s', async (_, call) => {
    await expect(call()).rejects.toMatchObject({ code: 'GitUnavailable' });
  });
});

describe('a clone whose folder is gone', () => {
  it('is said to be damaged, and is made anew', async () => {
    const client = clientIn(join(tmpdir(), 'no such folder'), { PATH: process.env['PATH'] ?? '' });
    await expect(client.local(['rev-parse', 'HEAD'])).rejects.toMatchObject({ code: 'CloneCorrupt' });
  });
});
