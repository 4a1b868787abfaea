import { describe, expect, it } from '@jest/globals';
import { runProcess, type ProcessRequest } from './run-process.ts';

const request = (args: string[], more: Partial<ProcessRequest> = {}): ProcessRequest => ({
  command: process.execPath,
  args,
  cwd: '/',
  env: {},
  timeLimit: 20_000,
  ...more,
});
const script = (code: string): string[] => ['-e', code];

describe('a process', () => {
  it('gets its input and no environment but its own', async () => {
    const code = 'process.stdin.pipe(process.stdout); process.stderr.write(Object.keys(process.env).join())';
    const result = await runProcess(
      request(script(code), { env: { ONLY: 'this' }, input: [Buffer.from('a'), Buffer.from('b')] }),
    );
    expect(result).toMatchObject({ exitCode: 0, stderr: 'ONLY' });
    expect(result.stdout.toString()).toBe('ab');
  });

  it('that ends without reading its input tells its exit code', async () => {
    const input = Array.from({ length: 100 }, () => Buffer.alloc(100_000));
    expect(await runProcess(request(script('process.exit(3)'), { input }))).toMatchObject({ exitCode: 3 });
  });

  it('is killed with its children when its time is over', async () => {
    const child = `require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })`;
    // The child holds the output open: the call returns only once it is gone too.
    const result = await runProcess(request(script(`${child}; setInterval(() => {}, 1000)`), { timeLimit: 700 }));
    expect(result).toMatchObject({ exitCode: null, killedBy: 'time-limit' });
  });

  it('is killed when the caller aborts, and not started when that was before', async () => {
    const controller = new AbortController();
    const running = runProcess(request(script('setInterval(() => {}, 1000)'), { signal: controller.signal }));
    controller.abort();
    expect(await running).toMatchObject({ killedBy: 'abort' });
    expect(await runProcess(request(script(''), { signal: controller.signal }))).toMatchObject({ killedBy: 'abort' });
  });

  it('is killed when it says too much', async () => {
    const code = 'setInterval(() => process.stdout.write("x".repeat(1000)), 1)';
    expect(await runProcess(request(script(code), { outputLimit: 5000 }))).toMatchObject({ killedBy: 'output-limit' });
  });

  it('that does not exist is an answer, not an exception', async () => {
    const result = await runProcess(request([], { command: 'no-such-program' }));
    expect(result.startError?.code).toBe('ENOENT');
  });
});
