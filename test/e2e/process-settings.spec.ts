import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { makeTempDir, removeTempDir } from '../../tools/lib/temp-dir.ts';
import { runOperator } from '../support/run-operator.ts';

/** A cluster that nobody answers for. */
const NO_CLUSTER = `apiVersion: v1
kind: Config
current-context: none
clusters: [{name: none, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: none, user: {token: none}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
`;

describe('the operator as a process, given wrong settings', () => {
  it('lists every mistake at once and ends with code 1', async () => {
    const { code, stdout, stderr } = await runOperator({
      REDIS_URL: 'redis://user:hunter2-redis@[half',
      KUBECONFIG: '/nowhere/kubeconfig',
      QUEUE_PREFIX: 'with space',
      WEBHOOK_PORT: '70000',
      WEBHOOK_HOST: 'not a host',
      WEBHOOK_URL: 'https://user:hunter2-webhook@example.com:99999',
      WEBHOOK_SERVICE: 'Upper_Case',
      HTTP_PORT: 'http',
      HTTP_HOST: '0.0.0.0/0',
      POD_NAMESPACE: '../kube-system',
      INSTANCE_NAME: '-dash',
      DATA_DIR: 'relative/path',
      ALLOW_FILE_URLS: 'yes',
      LOG_LEVEL: 'loud',
      SHUTDOWN_GRACE_SECONDS: '-1',
    });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(
      stderr
        .match(/^ {2}- \w+/gm)
        ?.map((line) => line.slice(4))
        .sort(),
    ).toEqual(
      [
        ...['REDIS_URL', 'QUEUE_PREFIX', 'WEBHOOK_PORT', 'WEBHOOK_HOST', 'WEBHOOK_URL', 'WEBHOOK_SERVICE', 'HTTP_PORT'],
        ...['HTTP_HOST', 'POD_NAMESPACE', 'INSTANCE_NAME', 'DATA_DIR', 'ALLOW_FILE_URLS', 'LOG_LEVEL'],
        ...['SHUTDOWN_GRACE_SECONDS', 'KUBECONFIG'],
      ].sort(),
    );
    expect(stderr).not.toContain('hunter2');
    expect(stderr).not.toMatch(/^\s+at /m); // no stack
  });

  it('lists mistakes of files and ports, too', async () => {
    const REDIS_URL_FILE = '/nowhere/redis-url';
    const { code, stderr } = await runOperator({ REDIS_URL_FILE, WEBHOOK_PORT: '8080', LOG_LEVEL: 'loud' });
    expect(code).toBe(1);
    expect(stderr).toContain('4 mistakes');
    expect(stderr.match(/^ {2}- \w+/gm)?.map((line) => line.slice(4))).toEqual([
      ...['REDIS_URL_FILE', 'LOG_LEVEL', 'WEBHOOK_PORT', 'KUBECONFIG'],
    ]);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    ['REDIS_URL_FILE that is not there', { REDIS_URL_FILE: '/nowhere/redis-url' }, /REDIS_URL_FILE.*ENOENT/],
    ['a KUBECONFIG that is not there', { KUBECONFIG: '/nowhere/kubeconfig' }, /KUBECONFIG|kubeconfig/],
    ['no cluster at all', {}, /KUBECONFIG/],
    ['a WEBHOOK_URL that is half', { WEBHOOK_URL: 'https://[half' }, /WEBHOOK_URL must be/],
    ['one port for both servers', { HTTP_PORT: '9443' }, /WEBHOOK_PORT and HTTP_PORT/],
  ])('with %s says so and ends with code 1', async (_name, env, text) => {
    const { code, stderr } = await runOperator(env);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(text) });
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('explains itself when it is given a command that it does not know', async () => {
    const { code, stderr } = await runOperator({}, ['install']);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: gitops-reverser [uninstall]');
  });

  describe('with a port that is taken', () => {
    let taken: Server;
    let folder: string;
    beforeAll(async () => {
      folder = await makeTempDir('settings');
      await writeFile(join(folder, 'kubeconfig'), NO_CLUSTER);
      taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
    });
    afterAll(async () => {
      await new Promise((resolve) => taken.close(resolve));
      await removeTempDir(folder);
    });

    it('names it and ends with code 1', async () => {
      const address = taken.address();
      const port = typeof address === 'object' && address !== null ? String(address.port) : '';
      const KUBECONFIG = join(folder, 'kubeconfig');
      const env = { HTTP_HOST: '127.0.0.1', HTTP_PORT: port, REDIS_URL: 'redis://127.0.0.1:1', KUBECONFIG };
      const { code, stderr } = await runOperator(env);
      expect(code).toBe(1);
      expect(stderr).toContain(port);
      expect(stderr).toContain('Set HTTP_PORT or WEBHOOK_PORT to a free one');
    });

    it.each(['192.0.2.1', 'no-such-host.invalid'])(
      'or an address to listen on that is not its own: %s',
      async (host) => {
        const KUBECONFIG = join(folder, 'kubeconfig');
        const { code, stderr } = await runOperator({ HTTP_HOST: host, REDIS_URL: 'redis://127.0.0.1:1', KUBECONFIG });
        expect(code).toBe(1);
        expect(stderr).toContain(host);
        expect(stderr).toContain('Correct HTTP_HOST');
        expect(stderr).not.toMatch(/^\s+at /m);
      },
    );
  });
});
