import { describe, expect, it } from '@jest/globals';
import { EnvironmentError, parseEnvironment } from './environment.ts';

function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    parseEnvironment(env);
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseEnvironment', () => {
  it('has a default for everything that is not set', () => {
    expect(parseEnvironment({})).toMatchObject({
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
    expect(parseEnvironment({ HTTP_PORT: '', LOG_LEVEL: '', WEBHOOK_URL: '' })).toEqual(parseEnvironment({}));
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
    expect(parseEnvironment({ [name]: text })).toHaveProperty(name, value);
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

  it('lists all mistakes at once, and repeats no value', () => {
    const problems = problemsOf({ REDIS_URL: 'secret-1', WEBHOOK_URL: 'secret-2', HTTP_PORT: 'secret-3' });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('secret');
    expect(new EnvironmentError(problems).message).toContain('3 mistakes');
  });

  it('does not look at names that it does not know', () => {
    expect(problemsOf({ HOME: '\n', REDIS_URLS: 'x', __proto__: 'x' })).toEqual([]);
  });
});
