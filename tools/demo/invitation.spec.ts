import { describe, expect, it } from '@jest/globals';
import { writeInvitation } from './invitation.ts';

const given = {
  namespace: 'production',
  alice: '/tmp/alice',
  admin: '/tmp/admin',
  adminName: 'admin',
  kubectl: '/home/me/.cache/some folder/kubectl',
  kubectlOnPath: undefined,
  remoteDir: '/tmp/remote.git',
};

describe('the invitation', () => {
  it('names kubectl with its path where the shell does not find one', () => {
    expect(writeInvitation(given)).toContain("  '/home/me/.cache/some folder/kubectl' -n production create configmap");
  });

  it('names it alone where the shell finds one', () => {
    const text = writeInvitation({ ...given, kubectlOnPath: '/usr/bin/kubectl' });
    expect(text).toContain('  kubectl -n production create configmap');
    expect(text).not.toContain('.cache');
  });
});
