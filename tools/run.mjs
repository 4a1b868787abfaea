#!/usr/bin/env node
// Every npm script comes through here: it sees to dependencies and build first, so that each works on a fresh clone.
import { check } from './bootstrap/check.mjs';
import { MAIN, ensureBuild } from './bootstrap/ensure-build.mjs';
import { ensureDependencies } from './bootstrap/ensure-dependencies.mjs';
import { UserError, projectEnv, run } from './bootstrap/project.mjs';

/** Jest runs ES modules through a part of Node that is still called experimental. */
const JEST_ENV = { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`.trim() };
const node = (script, ...args) => run('node', [script, ...args]);
const jest = (...args) => run('jest', ['--maxWorkers=2', ...args], { env: projectEnv(JEST_ENV) });

/** Each: whether it needs the built operator, and what it runs with the arguments after `--`. */
const COMMANDS = {
  build: { build: true, run: async () => ({ code: 0 }) },
  check: { run: async () => ({ code: await check() }) },
  'control-plane': { run: (args) => node('tools/control-plane.mjs', ...args) },
  demo: { build: true, run: (args) => node('tools/demo/main.ts', ...args) },
  format: { run: (args) => run('prettier', ['--write', '--log-level', 'warn', ...(args.length > 0 ? args : ['.'])]) },
  start: { build: true, run: (args) => node(MAIN, ...args) },
  uninstall: { build: true, run: (args) => node(MAIN, 'uninstall', ...args) },
  test: { build: true, run: (args) => jest(...args) },
  'test:unit': { run: (args) => jest('--selectProjects', 'unit', ...dashed(args)) },
  'test:integration': { run: (args) => jest('--selectProjects', 'integration', ...dashed(args)) },
  'test:e2e': { build: true, run: (args) => jest('--selectProjects', 'e2e', ...dashed(args)) },
  'test:history': { build: true, run: (args) => node('tools/history/main.ts', ...args) },
  'test:backlog': { build: true, run: (args) => node('tools/history/backlog.ts', ...args) },
  'test:failover': { build: true, run: (args) => node('tools/history/failover.ts', ...args) },
  'bench:backstop': { build: true, run: (args) => node('tools/history/backstop-cost.ts', ...args) },
  'bench:soak': { build: true, run: (args) => node('tools/history/soak.ts', ...args) },
  'test:coverage': { build: true, run: (args) => jest('--coverage', ...args) },
};

/** `--selectProjects` takes every word up to the next option: a file name after it needs one in between. */
function dashed(args) {
  return args.length > 0 && !args[0].startsWith('-') ? ['--testPathPatterns', ...args] : args;
}

const [name, ...args] = process.argv.slice(2);
const command = COMMANDS[name ?? ''];
try {
  if (command === undefined)
    throw new UserError(`Usage: node tools/run.mjs <${Object.keys(COMMANDS).join(' | ')}> [arguments]`);
  await ensureDependencies();
  if (command.build) await ensureBuild();
  process.exitCode = (await command.run(args)).code;
} catch (error) {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
}
