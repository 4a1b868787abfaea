import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand, tryCommand } from '../../tools/lib/run-command.ts';
import { makeTempDir, removeTempDir } from '../../tools/lib/temp-dir.ts';
import { startStage, type Scene, type Stage } from '../support/e2e-stage.ts';
import { countQueued, Diary, historyWhenWritten, setHook, tell, withQueue } from '../support/faults.ts';
import { startGitHttpServer, type GitHttpServer, type GitHttpServerOptions } from '../support/git-http-server.ts';
import { conditionOf, eventsAbout, metricValue, secret, waitForReady } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

/** A hanging host is given up after 30 s; pauses have grown by then. */
const HEALED = { timeoutMs: 60_000 };
const REFUSED_NAME = 'too-large';
const DISK_BYTES = 2 * 1024 * 1024;

const mountArgs = (folder: string): string[] => ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder];

/** A disk of a known size takes the right to mount one. */
async function mayMount(): Promise<boolean> {
  const folder = await makeTempDir('mount');
  const { code } = await tryCommand('mount', mountArgs(folder));
  if (code === 0) await runCommand('umount', [folder]);
  await removeTempDir(folder);
  return code === 0;
}

const itWithDisk = (await mayMount()) ? it : it.skip;

describe('the Git host', () => {
  let stage: Stage;
  const ends: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    stage = await startStage();
  }, 120_000);
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await stage.endScenes();
  });
  afterAll(() => stage.stop());

  interface HttpScene extends Scene {
    host: GitHttpServer;
    options: GitHttpServerOptions;
  }

  /** A scene whose repository is reached over http. */
  async function httpScene(): Promise<HttpScene> {
    const remote = await stage.createRemote();
    await remote.git('config', 'http.receivepack', 'true');
    const options = { root: dirname(remote.dir), username: 'git', password: 'the-first-password' };
    const host = await startGitHttpServer(options);
    ends.push(() => host.stop().catch(() => undefined)); // a test may have ended it
    const scene = await stage.scene({ repository: { suspend: true } });
    const { namespace, repository } = scene;
    await stage.cluster.admin.create(secret(namespace, 'git', { username: 'git', password: options.password }));
    const spec = { url: host.url(basename(remote.dir)), secretRef: { name: 'git' }, suspend: false };
    await stage.cluster.admin.patch(repository, { spec });
    await waitForReady(stage.cluster, repository);
    const commits = async (): ReturnType<Scene['commits']> => (await remote.log()).reverse();
    return { ...scene, remote, commits, host, options };
  }

  async function writeSix(diary: Diary): Promise<void> {
    const users = ['alice', 'bob@example.com', 'carol'];
    for (let turn = 0; turn < 6; turn++) await diary.write(users[turn % 3]!, `map-${turn % 2}`);
  }

  const queued = (scene: Scene): Promise<number> => countQueued(stage.redis, stage.operator, `${scene.namespace}/repo`);

  /** Condition, Event, metric and queue tell of the trouble; the pauses grow. */
  async function expectTrouble(scene: Scene, reason: string, waiting: number): Promise<void> {
    const { cluster, operator } = stage;
    const repository = `${scene.namespace}/repo`;
    const status = await waitForReady(cluster, scene.repository, { status: 'False', reason }, HEALED);
    expect(conditionOf(status, 'Ready')?.message).not.toBe('');
    const event = await waitFor('the Event', async () =>
      (await eventsAbout(cluster, scene.repository)).find((each) => each.reason === reason),
    );
    expect(event.type).toBe('Warning');
    const labels = { operation: 'push', result: reason, repository };
    expect(metricValue(await operator.metrics(), 'gitops_reverser_git_operations_total', labels)).toBeGreaterThan(0);
    await waitFor('all changes to wait', async () => (await queued(scene)) === waiting);
    await operator.waitForLog((entry) => entry.msg === 'push failed, the queue is held' && entry['code'] === reason);
  }

  async function expectDrained(scene: Scene, diary: Diary): Promise<void> {
    expect(await historyWhenWritten(diary, scene, HEALED)).toEqual(diary.history);
    await waitForReady(stage.cluster, scene.repository, { status: 'True' });
    await waitFor('an Event that says it is ready again', async () =>
      (await eventsAbout(stage.cluster, scene.repository)).find((each) => each.reason === 'Ready'),
    );
  }

  const pausesOf = (scene: Scene): unknown[] =>
    stage.operator.log
      .filter(({ msg, repository }) => msg.startsWith('push failed') && repository === `${scene.namespace}/repo`)
      .map((entry) => entry['holdMs']);

  it.each([
    ['answers 500', 'error-500', 'RemoteFailed'],
    ['cuts every connection', 'cut', 'RemoteFailed'],
    ['cuts the connection in the middle of a push', 'cut-push', 'RemoteFailed'],
  ] as const)(
    'that %s: the queue holds in order, says why, and drains by itself',
    async (_what, fault, reason) => {
      const scene = await httpScene();
      const diary = new Diary(stage, scene);
      await diary.write('alice', 'map-0');
      await historyWhenWritten(diary, scene);
      scene.host.setFault(fault);
      await writeSix(diary);
      await expectTrouble(scene, reason, 6);
      scene.host.setFault('none');
      await expectDrained(scene, diary);
    },
    90_000,
  );

  it('that takes a push, but whose answer is lost: nothing is written twice', async () => {
    const scene = await httpScene();
    const diary = new Diary(stage, scene);
    scene.host.setFault('lose-answer');
    await writeSix(diary);
    await waitForReady(stage.cluster, scene.repository, { status: 'False', reason: 'RemoteFailed' });
    await waitFor('the queue to hold', async () => (await queued(scene)) > 0);
    scene.host.setFault('none');
    await expectDrained(scene, diary);
  }, 90_000);

  it('that is down: the pauses grow, and it drains by itself', async () => {
    const scene = await httpScene();
    const diary = new Diary(stage, scene);
    await scene.host.stop();
    await writeSix(diary);
    await expectTrouble(scene, 'HostUnreachable', 6);
    await waitFor('three pauses', () => pausesOf(scene).length >= 3);
    expect(pausesOf(scene).slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
    const again = await startGitHttpServer({ ...scene.options, port: scene.host.port });
    ends.push(() => again.stop());
    await expectDrained(scene, diary);
  }, 90_000);

  it('that answers 401 after the password was revoked: a new Secret heals it at once', async () => {
    const scene = await httpScene();
    const diary = new Diary(stage, scene);
    await diary.write('alice', 'map-0');
    await historyWhenWritten(diary, scene);
    scene.options.password = 'the-second-password';
    await writeSix(diary);
    await expectTrouble(scene, 'AuthenticationFailed', 6);
    await stage.cluster.admin.patch(secret(scene.namespace, 'git', {}), {
      stringData: { password: scene.options.password },
    });
    expect(await historyWhenWritten(diary, scene, { timeoutMs: 5_000 })).toEqual(diary.history);
    await expectDrained(scene, diary);
  }, 90_000);

  it('that hangs: another repository is as quick as ever, and the changes come when it is back', async () => {
    const hanging = await httpScene();
    const other = await stage.scene();
    const [slow, quick] = [new Diary(stage, hanging), new Diary(stage, other)];
    hanging.host.setFault('hang');
    await writeSix(slow);
    await waitFor('the push to hang', () => hanging.host.requests() > 0);
    const latencies: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      const from = Date.now();
      await quick.write('alice', 'app');
      await waitFor('the commit', async () => (await other.remote.tip()) !== undefined && (await count(other)) > turn, {
        intervalMs: 5,
      });
      latencies.push(Date.now() - from);
    }
    latencies.sort((a, b) => a - b);
    tell('a change beside a hanging repository', `${latencies[10]} ms median, ${latencies.at(-1)} ms longest`);
    expect(latencies.at(-1)).toBeLessThan(3_000);
    await expectTrouble(hanging, 'RemoteTimeout', 6);
    hanging.host.setFault('none');
    await expectDrained(hanging, slow);
  }, 120_000);

  const count = async (scene: Scene): Promise<number> => Number(await scene.remote.git('rev-list', '--count', 'main'));

  it.each([
    ['refuses every push', 'PushRefused', 'echo "frozen until Monday" >&2; exit 1'],
    ['protects the branch', 'BranchProtected', 'echo "GH006: Protected branch update failed" >&2; exit 1'],
  ])(
    'that %s: the queue holds in order, says why, and drains by itself',
    async (_what, reason, script) => {
      const scene = await stage.scene();
      const diary = new Diary(stage, scene);
      await setHook(scene.remote, 'pre-receive', script);
      await writeSix(diary);
      await expectTrouble(scene, reason, 6);
      const status = await waitForReady(stage.cluster, scene.repository, { status: 'False', reason });
      expect(conditionOf(status, 'Stalled')?.status).toBe('True');
      await setHook(scene.remote, 'pre-receive');
      await expectDrained(scene, diary);
    },
    90_000,
  );

  it('that refuses one file: its change ends in "failed", and all others are written in order', async () => {
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await stage.cluster.admin.patch(scene.repository, { spec: { suspend: true } });
    await waitForReady(stage.cluster, scene.repository, { status: 'False', reason: 'Suspended' });
    await setHook(
      scene.remote,
      'pre-receive',
      `while read old new ref; do
         git log --name-only --format= $new --not --all | grep -q ${REFUSED_NAME} && { echo "file exceeds the limit of this host" >&2; exit 1; }
       done`,
    );
    await writeSix(diary);
    const refused = await diary.write('alice', REFUSED_NAME);
    await writeSix(diary);
    diary.leaveOut(REFUSED_NAME);
    await waitFor('all changes to be queued', async () => (await queued(scene)) === 13);
    await stage.cluster.admin.patch(scene.repository, { spec: { suspend: false } });
    expect(await historyWhenWritten(diary, scene, HEALED)).toEqual(diary.history);
    const repository = `${scene.namespace}/repo`;
    const failed = await waitFor('the failed job', () =>
      withQueue(stage.redis, stage.operator, repository, async (queue) => {
        const jobs = await queue.getFailed();
        return jobs.length > 0 && jobs.map(({ data, failedReason }) => ({ data: data as unknown, failedReason }));
      }),
    );
    expect(failed).toEqual([
      {
        data: expect.objectContaining({ resourceVersion: refused.metadata.resourceVersion }),
        failedReason: expect.stringContaining('exceeds the limit of this host'),
      },
    ]);
    const event = await waitFor('the Event', async () =>
      (await eventsAbout(stage.cluster, scene.repository)).find(({ reason }) => reason === 'ChangeRefused'),
    );
    expect(event.note).toContain(`CREATE of ConfigMap/${REFUSED_NAME}`);
    const dropped = { result: 'dropped', reason: 'PushRefused', repository };
    expect(metricValue(await stage.operator.metrics(), 'gitops_reverser_events_processed_total', dropped)).toBe(1);
    await waitFor('the queue to be empty', async () => (await queued(scene)) === 0);
  }, 90_000);

  itWithDisk(
    'whose disk is full: the queue holds in order, says why, and drains by itself',
    async () => {
      const scene = await stage.scene();
      const disk = `${scene.remote.dir}.disk`;
      await mkdir(disk);
      await runCommand('mount', mountArgs(disk));
      ends.push(() => tryCommand('umount', ['-l', disk]));
      const diary = new Diary(stage, scene);
      // The repository's objects move to the small disk, which something else then fills.
      const objects = join(scene.remote.dir, 'objects');
      await cp(objects, join(disk, 'objects'), { recursive: true });
      await rm(objects, { recursive: true });
      await symlink(join(disk, 'objects'), objects);
      await expect(writeFile(join(disk, 'filler'), Buffer.alloc(2 * DISK_BYTES))).rejects.toThrow('no space left');
      await writeSix(diary);
      await expectTrouble(scene, 'RemoteFailed', 6);
      const status = await waitForReady(stage.cluster, scene.repository, { status: 'False', reason: 'RemoteFailed' });
      expect(conditionOf(status, 'Ready')?.message).toContain('No space left on device');
      await rm(join(disk, 'filler'));
      await expectDrained(scene, diary);
    },
    90_000,
  );
});
