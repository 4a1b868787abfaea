import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from './project.mjs';

/**
 * Runs every script of package.json whose name begins with `check:`, each even where an earlier one failed, so that one
 * run shows everything. Returns the exit code. The last line is `N checks passed, N failed`.
 */
export async function check() {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const checks = Object.entries(scripts).filter(([name]) => name.startsWith('check:'));
  const failed = [];
  for (const [name, script] of checks) {
    const start = Date.now();
    const { code, output } = await run('sh', ['-c', script], { quiet: true });
    const time = `${((Date.now() - start) / 1000).toFixed(1)} s`;
    console.log(code === 0 ? `✓ ${name} (${time})` : `✗ ${name} (${time})\n${output.trimEnd()}\n`);
    if (code !== 0) failed.push(name);
  }
  if (failed.length > 0) console.log(`Failed: ${failed.join(', ')}`);
  console.log(`${checks.length - failed.length} checks passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}
