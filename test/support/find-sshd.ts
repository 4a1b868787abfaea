import { findOnPath } from '../../tools/lib/find-on-path.ts';
import { installPackage, type Installation } from '../../tools/lib/install-package.ts';

/** Absent where the system brings it, as macOS does. */
const INSTALLATION: Installation = {
  what: 'an sshd',
  packages: { 'apt-get': 'openssh-server', apk: 'openssh', dnf: 'openssh-server' },
};

/** sshd wants to be started by its full path; system daemons are seldom on a user's PATH. */
export function findSshd(): string | undefined {
  return findOnPath('sshd', { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin` });
}

/** Installs an sshd where this user may; else says that the tests which need one are skipped. */
export async function prepareSshd(): Promise<void> {
  if (findSshd() !== undefined) return;
  const reason = await installPackage(INSTALLATION);
  if (findSshd() !== undefined) return;
  process.stderr.write(
    `Found no sshd${reason}.\nTests of ssh repositories are skipped: install openssh-server to run them.\n`,
  );
}
