import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startStage, type Scene, type Stage } from '../support/e2e-stage.ts';
import { Diary, historyOf, historyWhenWritten, setHook, tell } from '../support/faults.ts';
import { eventsAbout, metricValue, waitForReady } from '../support/reverser-stage.ts';
import { waitFor } from '../support/wait-for.ts';

const BY_HAND = 'by: hand\n';
/** Git's times have whole seconds, and in the same second the cluster wins: this is later than what was admitted before. */
async function nextSecond(): Promise<Date> {
  const date = new Date(1_000 * Math.ceil(Date.now() / 1_000 + 0.001));
  await waitFor('the next second', () => Date.now() >= date.getTime(), { intervalMs: 10 });
  return date;
}
const HEALED = { timeoutMs: 40_000 };
/** How long, and how often, somebody else pushes. */
const CONTENTION_MS = 10_000;
const PUSH_EVERY_MS = 100;

describe('a person and the cluster who write to one branch', () => {
  let stage: Stage;
  let scene: Scene;
  let diary: Diary;
  beforeAll(async () => {
    stage = await startStage();
  }, 120_000);
  afterEach(() => stage.endScenes());
  afterAll(() => stage.stop());

  async function begin(): Promise<void> {
    scene = await stage.scene();
    diary = new Diary(stage, scene);
    await diary.write('alice', 'app');
    await historyWhenWritten(diary, scene);
  }

  const pathOf = (name: string): string => `namespaces/${scene.namespace}/ConfigMap/${name}.yaml`;
  const read = (name: string): Promise<string | undefined> => scene.remote.read(pathOf(name));

  async function suspend(suspended: boolean): Promise<void> {
    await stage.cluster.admin.patch(scene.repository, { spec: { suspend: suspended } });
    if (suspended) await waitForReady(stage.cluster, scene.repository, { status: 'False', reason: 'Suspended' });
  }

  /** Event, metric and log name the change that lost. */
  async function expectStale(operation: string, name: string, person: string): Promise<void> {
    const event = await waitFor('the Event', async () =>
      (await eventsAbout(stage.cluster, scene.repository)).find(({ reason }) => reason === 'StaleEvent'),
    );
    expect(event.note).toContain(`${operation} of ConfigMap/${name} in ns/${scene.namespace}`);
    expect(event.note).toContain(person.slice(0, 12));
    const labels = { result: 'dropped', reason: 'stale', repository: `${scene.namespace}/repo` };
    expect(metricValue(await stage.operator.metrics(), 'gitops_reverser_events_processed_total', labels)).toBe(1);
    await stage.operator.waitForLog((entry) => entry['result'] === 'stale' && entry['sha'] === person);
  }

  it("let a person's newer commit win that comes while the changes are being pushed, with all its files", async () => {
    await begin();
    // The person's commit waits on another branch, and becomes the branch's own in the middle of our push.
    await suspend(true);
    await diary.write('alice', 'other');
    await diary.write('bob@example.com', 'app');
    diary.history['app']!.pop();
    await scene.remote.git('update-ref', 'refs/heads/pat', 'refs/heads/main');
    const old = new Date(Date.now() - 60_000);
    await scene.remote.commitAsPerson({ files: { [pathOf('other')]: 'too early\n' }, branch: 'pat', date: old });
    const person = await scene.remote.commitAsPerson({
      files: { [pathOf('app')]: BY_HAND, 'README.md': 'written by a person\n' },
      branch: 'pat',
      date: await nextSecond(),
    });
    await setHook(
      scene.remote,
      'pre-receive',
      `unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
       test -e raced || { touch raced; git update-ref refs/heads/main ${person}; }`,
    );
    await suspend(false);
    expect(await historyWhenWritten(diary, scene, HEALED)).toEqual(diary.history);
    expect(await read('app')).toBe(BY_HAND);
    expect(await scene.remote.read('README.md')).toBe('written by a person\n');
    expect(await read('other')).toContain('step: "2"'); // the person's older commit to it is overruled
    expect((await scene.commits()).map(({ sha }) => sha)).toContain(person);
    await expectStale('UPDATE', 'app', person);
  }, 60_000);

  it("let a person's newer commit win that came before, and the cluster's next change on top of it", async () => {
    await begin();
    await suspend(true);
    await diary.write('bob@example.com', 'app');
    diary.history['app']!.pop();
    const files = { [pathOf('app')]: BY_HAND, 'README.md': 'written by a person\n' };
    const person = await scene.remote.commitAsPerson({ files, date: await nextSecond() });
    await suspend(false);
    await expectStale('UPDATE', 'app', person);
    expect(await read('app')).toBe(BY_HAND);
    await diary.write('carol', 'app');
    expect(await historyWhenWritten(diary, scene)).toEqual(diary.history);
    expect(await read('app')).toContain('step: "3"');
    expect(await scene.remote.read('README.md')).toBe('written by a person\n');
  }, 60_000);

  it('let a commit that came after stay on top until the cluster changes the object again', async () => {
    await begin();
    await diary.write('bob@example.com', 'app');
    await historyWhenWritten(diary, scene);
    const files = { [pathOf('app')]: BY_HAND };
    await scene.remote.commitAsPerson({ files, date: new Date() });
    await diary.write('alice', 'other');
    await historyWhenWritten(diary, scene);
    expect(await read('app')).toBe(BY_HAND);
    await diary.write('carol', 'app');
    expect(await historyWhenWritten(diary, scene)).toEqual(diary.history);
    expect(await read('app')).toContain('step: "4"');
  }, 60_000);

  it('do not let a date in the future win for ever', async () => {
    await begin();
    const files = { [pathOf('app')]: BY_HAND };
    await scene.remote.commitAsPerson({ files, date: new Date('2038-01-01T00:00:00Z') });
    await diary.write('alice', 'other'); // with this push the commit is seen
    await historyWhenWritten(diary, scene);
    expect(await read('app')).toBe(BY_HAND);
    await diary.write('bob@example.com', 'app');
    expect(await historyWhenWritten(diary, scene)).toEqual(diary.history);
    expect(await read('app')).toContain('step: "3"');
  }, 60_000);

  it('do not let an older commit win', async () => {
    await begin();
    await diary.write('bob@example.com', 'app');
    await historyWhenWritten(diary, scene);
    await scene.remote.commitAsPerson({ files: { [pathOf('app')]: BY_HAND }, date: new Date(Date.now() - 3_600_000) });
    await diary.write('alice', 'app');
    expect(await historyWhenWritten(diary, scene)).toEqual(diary.history);
    expect(await read('app')).toContain('step: "3"');
  }, 60_000);

  it.each([
    ['force-pushes it back', (first: string) => scene.remote.git('update-ref', 'refs/heads/main', first)],
    ['deletes it', () => scene.remote.git('update-ref', '-d', 'refs/heads/main')],
  ])(
    'accept that somebody %s: what was removed never comes back',
    async (_what, harm) => {
      await begin();
      const [first] = await scene.commits();
      await diary.write('bob@example.com', 'removed');
      await historyWhenWritten(diary, scene);
      await harm(first!.sha);
      const left = historyOf(await scene.commits());
      for (const user of ['alice', 'carol']) await diary.write(user, 'app');
      const wanted = { ...left, app: [...(left['app'] ?? []), ...diary.history['app']!.slice(1)] };
      await waitFor(
        'the new changes',
        async () => historyOf(await scene.commits())['app']?.length === wanted.app.length,
      );
      expect(historyOf(await scene.commits())).toEqual(wanted);
      expect(await scene.remote.files()).toEqual([pathOf('app')]);
    },
    60_000,
  );

  it('both go on while another writer pushes every 100 ms: ours may wait for a pause, and says so', async () => {
    await begin();
    const until = Date.now() + CONTENTION_MS;
    let theirs = 0;
    const pushing = (async () => {
      for (let next = Date.now(); next < until; next += PUSH_EVERY_MS) {
        await waitFor('the next turn', () => Date.now() >= next, { intervalMs: 5 });
        theirs += (await pushEmpty()) ? 1 : 0;
      }
    })();
    let written = 0;
    while (Date.now() < until - 1_000) {
      const before = await ours();
      await diary.write('alice', 'app');
      await waitFor('the change, or the end', async () => Date.now() > until || (await ours()) > before, {
        intervalMs: 10,
      });
      if (Date.now() < until) written += 1;
    }
    await pushing;
    const pauses = stage.operator.log.filter(
      (entry) => entry['code'] === 'LeaseStale' && entry['holdMs'] !== undefined,
    );
    tell(
      'beside a push every 100 ms',
      `${written} changes written in ${CONTENTION_MS / 1_000} s, ${pauses.length} pauses`,
    );
    expect(theirs).toBeGreaterThan(CONTENTION_MS / PUSH_EVERY_MS / 4);
    if (pauses.length > 0) {
      const events = await eventsAbout(stage.cluster, scene.repository);
      expect(events.map(({ reason }) => reason)).toContain('LeaseStale');
      const labels = { operation: 'push', result: 'LeaseStale', repository: `${scene.namespace}/repo` };
      const metrics = await stage.operator.metrics();
      expect(metricValue(metrics, 'gitops_reverser_git_operations_total', labels)).toBe(pauses.length);
    }
    expect(written + pauses.length).toBeGreaterThan(0);
    expect(await historyWhenWritten(diary, scene, HEALED)).toEqual(diary.history);
  }, 90_000);

  const ours = async (): Promise<number> =>
    Number(await scene.remote.git('rev-list', '--count', '--grep', '^Event-Id: ', 'main'));

  /** As a quick writer on the host itself would: false where somebody was faster. */
  async function pushEmpty(): Promise<boolean> {
    const tip = await scene.remote.tip();
    const identity = ['-c', 'user.name=Quick', '-c', 'user.email=quick@example.com'];
    const commit = await scene.remote.git(...identity, 'commit-tree', '-p', tip!, '-m', 'Quick', `${tip}^{tree}`);
    return scene.remote.git('update-ref', 'refs/heads/main', commit.trim(), tip!).then(
      () => true,
      () => false,
    );
  }
});
