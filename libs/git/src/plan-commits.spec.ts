import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_COMMITTER, type Change, type RepositoryTarget } from '#domain';
import { blobId } from './blob-id.ts';
import { BranchHistory, type HistoryCommit } from './branch-history.ts';
import { planCommits, type PlanInput, type TreeEntry } from './plan-commits.ts';

const target: RepositoryTarget = {
  key: { namespace: 'a', name: 'b' },
  url: 'file:///x',
  branch: 'main',
  path: '',
  committer: DEFAULT_COMMITTER,
  authorEmailDomain: 'x',
};
const pathOf = (name: string): string => `namespaces/ns/ConfigMap/${name}.yaml`;
const NOW = 1_000_000;

function change(eventId: string, name: string, content: string | null, overrides: Partial<Change> = {}): Change {
  return {
    eventId,
    origin: 'admitted',
    operation: content === null ? 'DELETE' : 'UPDATE',
    object: { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespace: 'ns', name, uid: name },
    user: 'u',
    alsoRequestedBy: [],
    admittedAt: 500_000,
    resourceVersion: '10',
    content,
    managers: [],
    ...overrides,
  };
}

function commit(
  sha: string,
  parents: string[],
  paths: string[],
  overrides: Partial<HistoryCommit> = {},
): HistoryCommit {
  return {
    sha,
    parents,
    time: 400,
    authorTime: 400,
    ours: false,
    eventIds: [],
    paths: new Map(paths.map((path) => [path, { removed: false }])),
    ...overrides,
  };
}

const plan = (changes: Change[], overrides: Partial<PlanInput> = {}) =>
  planCommits({
    changes,
    target,
    history: new BranchHistory(undefined, []),
    tree: new Map(),
    tipTime: undefined,
    now: NOW,
    ...overrides,
  });
const outcomes = (made: ReturnType<typeof plan>): string[] =>
  made.decisions.map((decision) =>
    decision.kind === 'verdict' ? decision.verdict.result : `${decision.kind} ${decision.commit}`,
  );

describe('a plan', () => {
  it('says unchanged by what stands in the tree and what earlier changes of the batch make of it', () => {
    const tree = new Map<string, TreeEntry>([[pathOf('a'), { kind: 'file', blob: blobId('1') }]]);
    const batch = [
      change('e1', 'a', '1'),
      change('e2', 'a', '2'),
      change('e3', 'a', '2'),
      change('e4', 'a', '1'),
      change('e5', 'b', null),
    ];
    expect(outcomes(plan(batch, { tree }))).toEqual(['unchanged', 'commit 0', 'unchanged', 'commit 1', 'unchanged']);
  });

  it('takes an event that came twice in one batch once', () => {
    expect(outcomes(plan([change('e1', 'a', '1'), change('e1', 'a', '1')]))).toEqual(['commit 0', 'commit 0']);
  });

  it('knows an event by id and path together', () => {
    const history = new BranchHistory('c1', [commit('c1', [], [pathOf('a')], { ours: true, eventIds: ['e1'] })]);
    expect(outcomes(plan([change('e1', 'a', '1'), change('e1', 'b', '1')], { history }))).toEqual([
      'duplicate',
      'commit 0',
    ]);
  });

  it.each([
    ['a second before it', 499, 'commit 0'],
    ['in the same second', 500, 'commit 0'],
    ['a second after it', 501, 'stale'],
  ])('weighs an event against a foreign commit %s', (_, time, outcome) => {
    const history = new BranchHistory('f', [commit('f', [], [pathOf('a')], { time })]);
    expect(outcomes(plan([change('e', 'a', '1')], { history }))).toEqual([outcome]);
  });

  it('counts a date in the future from its first sighting', () => {
    const history = new BranchHistory('f', [commit('f', [], [pathOf('a')], { time: 9_999_999 })]);
    history.noteSighting('f', 450);
    expect(outcomes(plan([change('e', 'a', '1')], { history }))).toEqual(['commit 0']);
  });

  it('sees a foreign commit below our own', () => {
    const history = new BranchHistory('o', [
      commit('o', ['f'], [pathOf('a')], { ours: true, eventIds: ['x'], time: 700 }),
      commit('f', [], [pathOf('a')], { time: 600 }),
    ]);
    expect(outcomes(plan([change('e', 'a', '1')], { history }))).toEqual(['stale']);
  });

  it.each([
    ['took our commit', { ours: true, eventIds: ['x'] }, undefined, 'commit 0'],
    ['took a person’s old commit', { time: 100 }, undefined, 'stale'],
    ['mixed both by hand', { ours: true, eventIds: ['x'] }, [pathOf('a')], 'stale'],
  ])('reads a merge that %s', (_, side, mixed, outcome) => {
    const history = new BranchHistory('m', [
      commit('m', ['main', 'side'], [pathOf('a')], { time: 900, mergedPaths: new Set(mixed) }),
      commit('main', [], ['README.md']),
      commit('side', [], [pathOf('a')], side),
    ]);
    expect(outcomes(plan([change('e', 'a', '1')], { history }))).toEqual([outcome]);
  });

  it('never removes a newer object’s file for a late deletion of the old one', () => {
    const recreated = change('e1', 'a', '1', {
      resourceVersion: '20',
      object: { ...change('', 'a', '').object, uid: 'new' },
    });
    const late = change('e2', 'a', null, { resourceVersion: '15' });
    expect(outcomes(plan([recreated, late]))).toEqual(['commit 0', 'unchanged']);
    const own = commit('c', [], [pathOf('a')], {
      ours: true,
      eventIds: ['e1'],
      resourceVersion: '20',
      authorTime: 600,
    });
    const tree = new Map<string, TreeEntry>([[pathOf('a'), { kind: 'file', blob: blobId('1') }]]);
    expect(outcomes(plan([late], { history: new BranchHistory('c', [own]), tree }))).toEqual(['unchanged']);
    const restored = { ...late, admittedAt: 700_000 }; // etcd was restored: a lower version, but later
    expect(outcomes(plan([restored], { history: new BranchHistory('c', [own]), tree }))).toEqual(['commit 0']);
  });

  it('does not go back to an older version for a change that needed no commit and comes again after a crash', () => {
    const batch = ['1', '1', '2'].map((content, at) =>
      change(`e${at}`, 'a', content, { resourceVersion: String(10 + at) }),
    );
    expect(outcomes(plan(batch))).toEqual(['commit 0', 'unchanged', 'commit 1']);
    const written = (sha: string, parents: string[], at: number): HistoryCommit =>
      commit(sha, parents, [pathOf('a')], {
        ours: true,
        eventIds: [`e${at}`],
        resourceVersion: String(10 + at),
        authorTime: 500,
      });
    const history = new BranchHistory('c2', [written('c2', ['c1'], 2), written('c1', [], 0)]);
    const tree = new Map<string, TreeEntry>([[pathOf('a'), { kind: 'file', blob: blobId('2') }]]);
    expect(outcomes(plan(batch, { history, tree }))).toEqual(['duplicate', 'unchanged', 'duplicate']);
  });

  it('puts observed changes that follow each other into one commit, but never two of one path', () => {
    const observed = (id: string, name: string, content: string): Change =>
      change(id, name, content, { origin: 'observed' });
    const batch = [
      observed('1', 'a', '1'),
      observed('2', 'b', '1'),
      observed('3', 'a', '2'),
      change('4', 'c', '1'),
      observed('5', 'd', '1'),
    ];
    expect(outcomes(plan(batch))).toEqual(['commit 0', 'commit 0', 'commit 1', 'commit 2', 'commit 3']);
  });

  describe('of a state that was found by listing', () => {
    const listed = (version: string, more: Partial<Change> = {}): Change =>
      change(`observed/a/${version}`, 'a', 'listed', {
        origin: 'observed',
        resourceVersion: version,
        listedAt: 500_000,
        ...more,
      });
    const own = (version: string, time: number, eventIds = ['e']): BranchHistory =>
      new BranchHistory('c', [
        commit('c', [], [pathOf('a')], { ours: true, eventIds, resourceVersion: version, time }),
      ]);

    it.each([
      { title: 'a newer version that was committed after the list', history: own('11', 501), expected: 'unchanged' },
      { title: 'a removal of the same version after the list', history: own('10', 501), expected: 'unchanged' },
      {
        title: 'a later version from before the list, as after a restore',
        history: own('99', 499),
        expected: 'commit 0',
      },
      {
        title: 'the very same event, whose file was changed since',
        history: own('10', 400, ['observed/a/10']),
        expected: 'commit 0',
      },
    ])('gives way only to what came after the list: $title → $expected', ({ history, expected }) => {
      expect(outcomes(plan([listed('10')], { history }))).toEqual([expected]);
    });

    it('does not bring back what an earlier change of the batch removed or changed', () => {
      expect(outcomes(plan([change('e1', 'a', '1'), change('e2', 'a', null), listed('10')]))).toEqual([
        'commit 0',
        'commit 1',
        'unchanged',
      ]);
    });

    it('removes an orphaned file only where our own commit touched it last', () => {
      const prune = listed('10', { operation: 'DELETE', content: null, prune: true });
      const tree = new Map<string, TreeEntry>([[pathOf('a'), { kind: 'file', blob: blobId('x') }]]);
      const foreign = new BranchHistory('f', [commit('f', [], [pathOf('a')], { time: 100 })]);
      expect(outcomes(plan([prune], { tree, history: foreign }))).toEqual(['stale']);
      expect(outcomes(plan([prune], { tree, history: own('9', 100) }))).toEqual(['commit 0']);
    });
  });

  describe('of a state that Git should hold already', () => {
    const presumed = change('observed/a/10', 'a', 'first', { origin: 'observed', presumed: true, admittedAt: 300_000 });
    const update = change('e', 'a', 'second', { resourceVersion: '11' });
    const holding = (content: string): Map<string, TreeEntry> =>
      new Map([[pathOf('a'), { kind: 'file', blob: blobId(content) }]]);
    const own = (more: Partial<HistoryCommit>): BranchHistory =>
      new BranchHistory('c', [commit('c', [], [pathOf('a')], { ours: true, authorTime: 450, ...more })]);

    it.each<{ title: string; overrides: Partial<PlanInput>; expected: string[] }>([
      { title: 'writes it before what follows where Git lacks it', overrides: {}, expected: ['commit 0', 'commit 1'] },
      {
        title: 'leaves it where Git holds it',
        overrides: { tree: holding('first') },
        expected: ['unchanged', 'commit 0'],
      },
      {
        title: "leaves a person's later file to what follows",
        overrides: { tree: holding('other'), history: new BranchHistory('c', [commit('c', [], [pathOf('a')])]) },
        expected: ['stale', 'commit 0'],
      },
      {
        title: 'leaves it where Git holds what came after it',
        overrides: { tree: holding('second'), history: own({ resourceVersion: '11' }) },
        expected: ['unchanged', 'unchanged'],
      },
      {
        title: 'does not bring it back after its own removal',
        overrides: { history: own({ resourceVersion: '10', paths: new Map([[pathOf('a'), { removed: true }]]) }) },
        expected: ['unchanged', 'commit 0'],
      },
    ])('$title', ({ overrides, expected }) => {
      expect(outcomes(plan([presumed, update], overrides))).toEqual(expected);
    });

    it('does not bring back what an earlier change of the batch has removed', () => {
      const removal = change('e', 'a', null, { resourceVersion: '9' });
      expect(outcomes(plan([presumed, removal, presumed]))).toEqual(['commit 0', 'commit 1', 'unchanged']);
    });
  });

  it('never dates a commit before its parent', () => {
    expect(plan([change('e', 'a', '1')], { tipTime: 5_000_000 }).commits[0]).toMatchObject({
      committerTime: 5_000_000,
      authorTime: 500,
    });
    expect(plan([change('e', 'a', '1')], { tipTime: 5 }).commits[0]).toMatchObject({ committerTime: 1000 });
  });
});

describe('any batch', () => {
  const anyChange = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    content: fc.option(fc.constantFrom('1', '2', '3'), { nil: null }),
    observed: fc.boolean(),
  });
  const batches = fc
    .array(anyChange, { maxLength: 20 })
    .map((items) =>
      items.map((item, at) =>
        change(`e${at}`, item.name, item.content, { origin: item.observed ? 'observed' : 'admitted' }),
      ),
    );
  /** Applies planned commits to a tree. */
  const apply = (tree: Map<string, TreeEntry>, made: ReturnType<typeof plan>): Map<string, TreeEntry> => {
    const next = new Map(tree);
    for (const file of made.commits.flatMap((planned) => planned.files)) {
      if (file.content === null) next.delete(file.path);
      else next.set(file.path, { kind: 'file', blob: blobId(file.content) });
    }
    return next;
  };

  it('leaves each path as its last change wants it, with one decision a change and no empty commit', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const made = plan(batch);
        expect(made.decisions).toHaveLength(batch.length);
        const tree = apply(new Map(), made);
        for (const [path, last] of new Map(batch.map((item) => [pathOf(item.object.name), item.content]))) {
          expect(tree.get(path)).toEqual(last === null ? undefined : { kind: 'file', blob: blobId(last) });
        }
        for (const planned of made.commits)
          expect(new Set(planned.files.map((file) => file.path)).size).toBe(planned.changes.length);
      }),
    );
  });

  it('cut in two anywhere and written after a crash, gives the same tree and no event twice', () => {
    fc.assert(
      fc.property(batches, fc.nat(20), (batch, cut) => {
        const whole = apply(new Map(), plan(batch));
        const first = plan(batch.slice(0, cut));
        const history = new BranchHistory(undefined, []);
        first.commits.forEach((planned, at) =>
          history.append(
            commit(
              `c${at}`,
              at === 0 ? [] : [`c${at - 1}`],
              planned.files.map((file) => file.path),
              {
                ours: true,
                eventIds: planned.changes.map((item) => item.eventId),
                time: planned.committerTime,
              },
            ),
          ),
        );
        const tree = apply(new Map(), first);
        // The process died before it could say which changes were done: all of them come again, without the last verdicts.
        const again = plan(batch.slice(cut), { history, tree });
        expect(apply(tree, again)).toEqual(whole);
        const repeated = plan(batch.slice(0, cut), { history, tree });
        const done = first.decisions.filter((decision) => decision.kind === 'commit').length;
        expect(outcomes(repeated).filter((outcome) => outcome === 'duplicate')).toHaveLength(done);
      }),
    );
  });
});
