import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { findOnPath } from '../../tools/lib/find-on-path.ts';
import { makeTempDir, removeTempDir } from '../../tools/lib/temp-dir.ts';
import { startStage, type Scene, type Stage } from '../support/e2e-stage.ts';
import { countQueued, Diary, historyWhenWritten, tell } from '../support/faults.ts';
import { startOperator, type Operator } from '../support/operator.ts';
import { conditionOf, eventsAbout, waitForReady } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

const WRITTEN = { timeoutMs: 30_000 };
/** A held queue would wait for 1, 2, 4, 8 … seconds each time the broken replica has a turn. */
const CHANGES = 30;
const LIMIT_MS = 40_000;
const OWN_TROUBLE = 'GitUnavailable';

describe('two replicas, of which one has lost its git command', () => {
  let stage: Stage;
  let folder: string;
  let broken: Operator;
  beforeAll(async () => {
    folder = await makeTempDir('bin');
    await mkdir(join(folder, 'bin'));
    stage = await startStage();
    const { QUEUE_PREFIX = '', INSTANCE_NAME = '', WEBHOOK_URL = '' } = stage.operator.env;
    const PATH = join(folder, 'bin');
    broken = await startOperator({
      kubeconfig: stage.cluster.kubeconfigFor('admin'),
      redisUrl: stage.redis.url,
      env: { SHUTDOWN_GRACE_SECONDS: '0', QUEUE_PREFIX, INSTANCE_NAME, WEBHOOK_URL, PATH },
    });
  }, 120_000);
  afterEach(() => stage.endScenes());
  afterAll(async () => {
    await broken.remove();
    await stage.stop();
    await removeTempDir(folder);
  });

  const command = (): string => join(folder, 'bin', 'git');
  const install = (): Promise<void> => symlink(findOnPath('git')!, command());
  const uninstall = (): Promise<void> => rm(command(), { force: true });

  const processedBy = (operator: Operator, scene: Scene): number =>
    operator.log.filter(({ msg, repository }) => msg === 'change processed' && repository === `${scene.namespace}/repo`)
      .length;

  /** One change after the other, each until it is in Git: both replicas are waiting for each. */
  async function writeInTurn(scene: Scene, diary: Diary, enough: () => boolean): Promise<void> {
    for (let step = 0; !enough(); step++) {
      await diary.write('alice', `map-${step % 3}`);
      await historyWhenWritten(diary, scene, { ...WRITTEN, intervalMs: 10 });
    }
  }

  async function writeManyInTime(scene: Scene, diary: Diary): Promise<void> {
    const started = Date.now();
    const target = diary.size + CHANGES;
    await writeInTurn(scene, diary, () => diary.size >= target);
    const took = Date.now() - started;
    tell(`${CHANGES} changes beside a broken replica`, `${(took / 1_000).toFixed(1)} s`);
    expect(took).toBeLessThan(LIMIT_MS);
    expect(await historyWhenWritten(diary, scene, WRITTEN)).toEqual(diary.history);
  }

  it('write on as if it were not there when it never had one', async () => {
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await broken.waitForLog(
      ({ msg, reason, repository }) =>
        msg === 'repository is not ready' && reason === OWN_TROUBLE && repository === `${scene.namespace}/repo`,
    );
    await writeManyInTime(scene, diary);
    expect(processedBy(broken, scene)).toBe(0);
    expect(processedBy(stage.operator, scene)).toBe(CHANGES);
  }, 120_000);

  it('write on when it loses it, which the condition tells; once it has it again it takes its part', async () => {
    await install();
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await writeInTurn(scene, diary, () => processedBy(broken, scene) > 0);
    await uninstall();
    await writeManyInTime(scene, diary);
    await broken.waitForLog(({ msg, code }) => msg.startsWith('push failed here') && code === OWN_TROUBLE);
    const status = await waitForReady(stage.cluster, scene.repository, { status: 'False' });
    expect(conditionOf(status, 'Ready')?.reason).toBe(OWN_TROUBLE);
    await install();
    await waitForReady(stage.cluster, scene.repository, { status: 'True' }, { timeoutMs: 70_000 });
    const before = processedBy(broken, scene);
    await writeInTurn(scene, diary, () => processedBy(broken, scene) > before);
    expect(await historyWhenWritten(diary, scene, WRITTEN)).toEqual(diary.history);
  }, 180_000);
});

describe('the only replica, which loses its git command', () => {
  let stage: Stage;
  let folder: string;
  const install = (): Promise<void> => symlink(findOnPath('git')!, join(folder, 'git'));
  beforeAll(async () => {
    folder = await makeTempDir('bin');
    await install();
    stage = await startStage({ env: { PATH: folder } });
  }, 120_000);
  afterAll(async () => {
    await stage.endScenes();
    await stage.stop();
    await removeTempDir(folder);
  });

  it('keeps the changes, says why, and writes them in order once it has it again', async () => {
    const scene = await stage.scene();
    const diary = new Diary(stage, scene);
    await diary.write('alice', 'map-0');
    await historyWhenWritten(diary, scene, WRITTEN);
    await rm(join(folder, 'git'));
    for (let step = 0; step < 12; step++) await diary.write(step % 2 === 0 ? 'alice' : 'carol', `map-${step % 3}`);
    const status = await waitForReady(stage.cluster, scene.repository, { status: 'False' });
    expect(conditionOf(status, 'Ready')?.reason).toBe(OWN_TROUBLE);
    await waitFor('all changes to wait', async () => {
      return (await countQueued(stage.redis, stage.operator, `${scene.namespace}/repo`)) === 12;
    });
    await install();
    expect(await historyWhenWritten(diary, scene, { timeoutMs: 15_000 })).toEqual(diary.history);
    await waitForReady(stage.cluster, scene.repository, { status: 'True' });
    const reasons = (await eventsAbout(stage.cluster, scene.repository)).map(({ reason }) => reason);
    expect(reasons).toEqual(expect.arrayContaining([OWN_TROUBLE, 'Ready']));
  }, 120_000);
});
