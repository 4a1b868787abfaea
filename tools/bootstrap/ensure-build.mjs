import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, UserError, run } from './project.mjs';

export const MAIN = join('dist', 'apps', 'reverser', 'src', 'main.js');
const STAMP = join('dist', '.built-from');
const SETTINGS = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];

/** Compiles the operator, unless the last build was of the very same sources. */
export async function ensureBuild() {
  const sources = digestOfSources();
  const stamp = join(ROOT, STAMP);
  if (existsSync(join(ROOT, MAIN)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  console.error('… building the operator');
  const start = Date.now();
  const { code } = await run('nest', ['build', 'reverser']);
  if (code !== 0) throw new UserError(`The build ended with code ${code}; its messages are above.`);
  if (!existsSync(join(ROOT, MAIN))) throw new UserError(`The build made no ${MAIN}.`);
  writeFileSync(stamp, sources);
  console.error(`✓ built (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}

/** By content, so that switching branches back and forth or copying the folder costs no build. */
function digestOfSources() {
  const hash = createHash('sha256');
  for (const file of [...SETTINGS, ...filesBelow('apps'), ...filesBelow('libs')]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(ROOT.length + 1))
    .sort();
}
