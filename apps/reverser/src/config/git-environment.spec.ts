import { describe, expect, it } from '@jest/globals';
import { gitEnvironment } from './git-environment.ts';

describe('gitEnvironment', () => {
  it('passes on where commands are, temporary files go, and how the network is reached', () => {
    const env = { PATH: '/bin', TMPDIR: '/t', https_proxy: 'http://p', HTTP_PROXY: 'http://p', no_proxy: 'x' };
    expect(gitEnvironment(env)).toEqual(env);
  });

  it('keeps everything else from Git: secrets, and what would change how it works', () => {
    const env = {
      REDIS_URL: 'redis://:secret@x',
      GIT_DIR: '/x',
      GIT_SSH_COMMAND: 'x',
      SSH_AUTH_SOCK: '/x',
      HOME: '/r',
    };
    expect(gitEnvironment({ ...env, MY_PATH: '/x', PATH: undefined })).toEqual({});
  });
});
