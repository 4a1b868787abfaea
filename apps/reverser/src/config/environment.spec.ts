import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkEnvironment, EnvironmentError } from './environment.ts';

const problemsOf = (env: Record<string, string | undefined>): string[] => checkEnvironment(env).problems;
const read = (env: Record<string, string | undefined>) => {
  const { environment, problems } = checkEnvironment(env);
  expect(problems).toEqual([]);
  return environment;
};

/** A wrong value of each setting that can be wrong by itself. */
const WRONG = {
  REDIS_URL: 'redis://[half-secret',
  QUEUE_PREFIX: 'a secret:b',
  WEBHOOK_PORT: '-1',
  WEBHOOK_HOST: 'no host, a secret',
  WEBHOOK_URL: 'https://secret:99999',
  WEBHOOK_SERVICE: 'Secret_Service',
  HTTP_PORT: '0',
  HTTP_HOST: '0.0.0.0/secret',
  POD_NAMESPACE: '../secret',
  INSTANCE_NAME: '-secret',
  DATA_DIR: 'secret/path',
  ALLOW_FILE_URLS: 'secret',
  LOG_LEVEL: 'secret',
  RESYNC_INTERVAL: '5 secrets',
  BACKSTOP: 'secret',
  SPILL_MAX_RECORDS: '-1',
  SPILL_MAX_BYTES: '1e9',
  SHUTDOWN_GRACE_SECONDS: '301',
};

describe('checkEnvironment', () => {
  it('has a default for everything that is not set', () => {
    expect(read({})).toMatchObject({
      REDIS_URL: 'redis://127.0.0.1:6379',
      QUEUE_PREFIX: 'gitops-reverser',
      WEBHOOK_PORT: 9443,
      WEBHOOK_HOST: '0.0.0.0',
      WEBHOOK_SERVICE: 'gitops-reverser',
      HTTP_PORT: 8080,
      HTTP_HOST: '0.0.0.0',
      POD_NAMESPACE: 'gitops-reverser-system',
      INSTANCE_NAME: 'gitops-reverser',
      ALLOW_FILE_URLS: false,
      LOG_LEVEL: 'info',
    });
  });

  it('takes an empty value as not set', () => {
    expect(read({ HTTP_PORT: '', LOG_LEVEL: '', WEBHOOK_URL: '' })).toEqual(read({}));
  });

  it.each([
    ['HTTP_PORT', '65535', 65_535],
    ['ALLOW_FILE_URLS', 'true', true],
    ['ALLOW_FILE_URLS', 'false', false],
    ['SHUTDOWN_GRACE_SECONDS', '0', 0],
    ['REDIS_URL', 'rediss://user:p%40ss@cache.example.com:6380/3', 'rediss://user:p%40ss@cache.example.com:6380/3'],
    ['WEBHOOK_URL', 'https://[::1]:9443/base', 'https://[::1]:9443/base'],
    ['WEBHOOK_HOST', '::', '::'],
    ['DATA_DIR', '/var/lib/reverser', '/var/lib/reverser'],
  ])('reads %s=%s', (name, text, value) => {
    expect(read({ [name]: text })).toHaveProperty(name, value);
  });

  it.each([
    ['HTTP_PORT', '0'],
    ['HTTP_PORT', '65536'],
    ['HTTP_PORT', '80.5'],
    ['HTTP_PORT', '0x50'],
    ['WEBHOOK_PORT', '-1'],
    ['WEBHOOK_PORT', ' 9443'],
    ['REDIS_URL', '127.0.0.1:6379'],
    ['REDIS_URL', 'redis://[half'],
    ['REDIS_URL', 'redis://:6379'],
    ['REDIS_URL', 'redis://host:99999'],
    ['REDIS_URL', 'redis://host/audit'],
    ['REDIS_URL', 'redis://:per%cent@host'],
    ['WEBHOOK_URL', 'https://[half'],
    ['WEBHOOK_URL', 'https://host:99999'],
    ['WEBHOOK_URL', 'https://host:0'],
    ['SPILL_MAX_RECORDS', '-1'],
    ['WEBHOOK_PORT', '8080'],
    ['HTTP_PORT', '9443'],
    ['WEBHOOK_URL', 'http://example.com'],
    ['WEBHOOK_URL', 'https://example.com/?query'],
    ['POD_NAMESPACE', 'a/b'],
    ['INSTANCE_NAME', 'Upper'],
    ['INSTANCE_NAME', 'x'.repeat(64)],
    ['QUEUE_PREFIX', 'a:b'],
    ['ALLOW_FILE_URLS', '1'],
    ['LOG_LEVEL', 'INFO'],
    ['SHUTDOWN_GRACE_SECONDS', '301'],
  ])('refuses %s=%s in one line that names it', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
  });

  it('takes one port for both servers only on two addresses', () => {
    const both = { WEBHOOK_PORT: '9000', HTTP_PORT: '9000' };
    expect(problemsOf({ ...both, WEBHOOK_HOST: '127.0.0.1', HTTP_HOST: '127.0.0.2' })).toEqual([]);
    expect(problemsOf({ ...both, WEBHOOK_HOST: '127.0.0.1', HTTP_HOST: '127.0.0.1' })).toHaveLength(1);
    expect(problemsOf({ ...both, WEBHOOK_HOST: '127.0.0.1' })).toHaveLength(1);
  });

  it('lists every mistake in one line that names it, whichever come together, and repeats no value', () => {
    const names = Object.keys(WRONG) as (keyof typeof WRONG)[];
    fc.assert(
      fc.property(fc.subarray(names), (chosen) => {
        const problems = problemsOf(Object.fromEntries(chosen.map((name) => [name, WRONG[name]])));
        expect(problems.map((problem) => problem.split(' ')[0]).sort()).toEqual([...chosen].sort());
        expect(problems.join()).not.toMatch(/secret/i);
      }),
    );
  });

  it('says how many there are', () => {
    expect(new EnvironmentError(['one', 'two']).message).toContain('2 mistakes');
  });

  it('does not look at names that it does not know', () => {
    expect(problemsOf({ HOME: '\n', REDIS_URLS: 'x', __proto__: 'x' })).toEqual([]);
  });
});
