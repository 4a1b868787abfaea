import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSshServer, withSshd } from '../../support/ssh-server.ts';
import { change, GitFixture } from './git-fixture.ts';

let fixture: GitFixture;
beforeEach(async () => {
  fixture = await GitFixture.make();
});
afterEach(async () => {
  await fixture.end();
});

/** Measured on 2 shared cores; the limits are loose on purpose: they catch a change of the order, not a busy machine. */
describe('how long it takes', () => {
  const median = (times: number[]): number => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

  async function singles(repository: ReturnType<GitFixture['repository']>): Promise<number> {
    await repository.write([change('one', 'v: 0\n')]);
    const times: number[] = [];
    for (let count = 1; count <= 9; count += 1) {
      const start = performance.now();
      await repository.write([change('one', `v: ${count}\n`)]);
      times.push(performance.now() - start);
    }
    return median(times);
  }

  it('writes a single change to a file:// remote', async () => {
    const time = await singles(fixture.repository());
    process.stdout.write(`single change, file: ${time.toFixed(0)} ms (median of 9)\n`);
    expect(time).toBeLessThan(2000);
  });

  withSshd().it('writes a single change to an ssh remote', async () => {
    const ssh = await startSshServer();
    try {
      const time = await singles(
        fixture.repository(
          { url: ssh.url(fixture.bare) },
          { 'ssh-key': ssh.privateKey, 'known-hosts': ssh.knownHosts },
        ),
      );
      process.stdout.write(`single change, ssh: ${time.toFixed(0)} ms (median of 9)\n`);
      expect(time).toBeLessThan(5000);
    } finally {
      await ssh.stop();
    }
  });

  it('writes 200 changes in one push to a repository of 20,000 files', async () => {
    const repository = fixture.repository();
    const object = (at: number) => ({
      ...change('', '').object,
      namespace: `team-${at % 100}`,
      name: `object-${at}`,
      uid: `uid-${at}`,
    });
    const many = Array.from({ length: 20_000 }, (_, at) =>
      change(
        '',
        `v: ${at}
`,
        { origin: 'observed', user: '', object: object(at) },
      ),
    );
    const start = performance.now();
    await repository.write(many);
    const filled = performance.now();
    const batch = Array.from({ length: 200 }, (_, at) => change('', `v: changed ${at}\n`, { object: object(at * 93) }));
    const written = await repository.write(batch);
    const end = performance.now();
    process.stdout.write(
      `snapshot of 20,000 objects: ${(filled - start).toFixed(0)} ms, then 200 commits: ${(end - filled).toFixed(0)} ms\n`,
    );
    expect(written.verdicts.every((verdict) => verdict.result === 'committed')).toBe(true);
    expect(await fixture.log()).toHaveLength(201);
    expect(end - filled).toBeLessThan(20_000);
  });
});
