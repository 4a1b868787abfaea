import { findBinaries } from '../../tools/control-plane/find-binaries.ts';
import { findRedisServer } from '../../tools/redis/find-redis-server.ts';
import { prepareSshd } from './find-sshd.ts';

/** Before the first test, and outside of every test's time limit: a control plane may have to be built first. */
export default async function prepare() {
  await findRedisServer();
  await prepareSshd();
  await findBinaries();
}
