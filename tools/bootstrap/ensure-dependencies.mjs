import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, ROOT, UserError, run } from './project.mjs';

/** Below this, OpenTelemetry and type stripping do not work; the project brings a newer one along as a dependency. */
const OLDEST_NODE = 24;

/** Installs what package-lock.json names, unless node_modules holds just that already. */
export async function ensureDependencies() {
  if (!isInstalled()) {
    console.error('… installing the dependencies (npm ci; the first time this may take a few minutes)');
    const start = Date.now();
    const progress = setInterval(() => {
      console.error(`… npm ci is still at work (${Math.round((Date.now() - start) / 1000)} s)`);
    }, 15_000);
    try {
      const [command, ...args] = npmCommand();
      const options = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false', '--include=dev'];
      const { code } = await run(command, [...args, ...options], { env: process.env });
      if (code !== 0) throw new UserError(`npm ci ended with code ${code}; its messages are above.`);
    } finally {
      clearInterval(progress);
    }
    console.error(`✓ dependencies installed (${Math.round((Date.now() - start) / 1000)} s)`);
  }
  await checkNode();
}

/** npm's own record of what it put into node_modules against the lock file: true after any complete install. */
function isInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
    const present = JSON.parse(readFileSync(join(ROOT, 'node_modules', '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(([path, { version, optional, devOptional, peer }]) => {
      if (path === '' || (present[path] === undefined && (optional || devOptional || peer))) return true;
      return present[path]?.version === version && existsSync(join(ROOT, path));
    });
  } catch {
    return false;
  }
}

function npmCommand() {
  const running = process.env.npm_execpath ?? '';
  return running.endsWith('.js') ? [process.execPath, running] : ['npm'];
}

async function checkNode() {
  const node = existsSync(join(BIN, 'node')) ? join(BIN, 'node') : 'node';
  const { code, output } = await run(node, ['--version'], { quiet: true });
  const major = Number(/^v(\d+)/.exec(output)?.[1]);
  if (code === 0 && major >= OLDEST_NODE) return;
  throw new UserError(
    `The project needs Node ${OLDEST_NODE} or newer, and ${node} is ${output.trim() || 'none'}.\n` +
      'It comes with the dependencies unless npm was told to ignore install scripts: run "npm rebuild node --ignore-scripts=false".',
  );
}
