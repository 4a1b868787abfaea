import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { configMap, startStage, type Stage } from '../support/e2e-stage.ts';
import { KubeError } from '../support/kube.ts';
import type { LiveObject } from '../support/kube.ts';

const USERS = ['admin@company.com', 'alice', 'bob@example.com', 'carol', 'dave@example.com', 'erin', 'frank', 'grace'];
const PATCHES_EACH = 25;

describe('Eight users who patch one ConfigMap at the same time', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await startStage({ users: USERS });
  });
  afterAll(() => stage.stop());

  it('are the authors of as many commits as there are versions, in the order of the versions', async () => {
    const scene = await stage.scene();
    const object = configMap(scene, 'shared', { first: 'yes' });
    const created = await stage.cluster.asUser('alice').create(object);
    const written = [{ version: created.metadata.resourceVersion, user: 'alice' }];
    const patchAs = async (user: string): Promise<void> => {
      for (let number = 0; number < PATCHES_EACH; number++) {
        const { metadata } = await insistently(() =>
          stage.cluster.asUser(user).patch(object, { data: { [`by-${user.replace('@', '-')}`]: String(number) } }),
        );
        written.push({ version: metadata.resourceVersion, user });
      }
    };
    await Promise.all(USERS.map(patchAs));
    written.sort((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1));

    expect(new Set(written.map(({ version }) => version)).size).toBe(1 + USERS.length * PATCHES_EACH);
    const commits = await scene.waitForCommits(written.length, { timeoutMs: 60_000 });
    expect(commits.map(({ author }) => author.name)).toEqual(written.map(({ user }) => user));
    const versions = commits.map(({ message }) => BigInt(/^- Resource Version: (\d+)$/m.exec(message)?.[1] ?? '0'));
    expect(versions).toEqual([...versions].sort((a, b) => (a < b ? -1 : 1)));
  }, 180_000);
});

/** Asks again where the API server gave up after its own tries: others were faster each time. */
async function insistently(write: () => Promise<LiveObject>): Promise<LiveObject> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 409) throw error;
    }
  }
}
