import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isExecutable } from '../lib/find-on-path.ts';
import { withProgress } from '../lib/progress.ts';
import { runCommand } from '../lib/run-command.ts';
import { PROGRAMS, type Program } from './versions.ts';

/** The list of releases that setup-envtest reads as well. */
const INDEX = 'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml';
/** A machine without internet must fall through to the next way quickly. */
const CONNECT_TIMEOUT_MS = 3_000;
/** A connection that is silent for so long is given up. */
const IDLE_TIMEOUT_MS = 20_000;

interface Archive {
  url: string;
  sha512: string;
  version: string;
}

/**
 * Fetches kube-apiserver, etcd and kubectl of the pinned version, or else of the newest patch release of the same minor
 * version, and checks their sha512. Returns the version that it put into `folder`; throws where that is not possible.
 */
export async function downloadEnvtest(pinned: string, folder: string): Promise<string> {
  const index = await download(INDEX);
  const archive = chooseArchive(parse(index.toString('utf8')), pinned, platform());
  if (archive === undefined) throw new Error(`envtest offers no release for ${pinned} on ${platform()}`);
  const bytes = await withProgress(`downloading the control plane ${archive.version}`, () => download(archive.url));
  if (createHash('sha512').update(bytes).digest('hex') !== archive.sha512.toLowerCase()) {
    throw new Error(`The sha512 of ${archive.url} is not the one that its index gives`);
  }
  const work = await mkdtemp(join(folder, '.downloading-'));
  try {
    await writeFile(join(work, 'archive.tar.gz'), bytes);
    await runCommand('tar', ['-xzf', 'archive.tar.gz', '--strip-components=2'], { cwd: work });
    const programs = Object.keys(PROGRAMS) as Program[];
    const missing = programs.filter((program) => !isExecutable(join(work, program)));
    if (missing.length > 0) throw new Error(`${archive.url} holds no ${missing.join(', ')}`);
    for (const program of programs) await rename(join(work, program), join(folder, program));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return archive.version;
}

function platform(): string {
  const architecture = { x64: 'amd64' }[process.arch as string] ?? process.arch;
  return `${process.platform}-${architecture}`;
}

/** The index has `releases.<version>.<file name>: {hash, selfLink}`. */
export function chooseArchive(index: unknown, pinned: string, platform: string): Archive | undefined {
  const releases = recordOf(recordOf(index)['releases']);
  const [major, minor] = pinned.split('.');
  const sameMinor = Object.keys(releases)
    .map((name) => ({ name, patch: new RegExp(`^v${major}\\.${minor}\\.(\\d+)$`).exec(name)?.[1] }))
    .filter(({ patch }) => patch !== undefined)
    .sort((a, b) => Number(b.patch) - Number(a.patch))
    .map(({ name }) => name);
  for (const version of [`v${pinned}`, ...sameMinor]) {
    const archive = recordOf(recordOf(releases[version])[`envtest-${version}-${platform}.tar.gz`]);
    const { hash, selfLink } = archive;
    if (typeof hash === 'string' && typeof selfLink === 'string') return { version, sha512: hash, url: selfLink };
  }
  return undefined;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** GET with redirects, over https only. */
async function download(url: string, redirects = 5): Promise<Buffer> {
  if (!url.startsWith('https://')) throw new Error(`Refusing to download ${url}: not https`);
  const answer = await new Promise<{ location?: string; body: Buffer }>((resolve, reject) => {
    const call = request(url, { headers: { 'user-agent': 'gitops-reverser' } }, (response) => {
      const { statusCode = 0, headers } = response;
      if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
        response.resume();
        resolve({ location: new URL(headers.location, url).href, body: Buffer.alloc(0) });
        return;
      }
      if (statusCode !== 200) {
        response.resume();
        reject(new Error(`${url} answered ${statusCode}`));
        return;
      }
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve({ body: Buffer.concat(chunks) }));
      response.once('error', reject);
    });
    const tooSlow = setTimeout(() => call.destroy(new Error(`no connection to ${url}`)), CONNECT_TIMEOUT_MS);
    call.once('socket', (socket) => socket.once('secureConnect', () => clearTimeout(tooSlow)));
    call.once('close', () => clearTimeout(tooSlow));
    call.setTimeout(IDLE_TIMEOUT_MS, () => call.destroy(new Error(`${url} sends nothing`)));
    call.once('error', reject);
    call.end();
  });
  if (answer.location === undefined) return answer.body;
  if (redirects === 0) throw new Error(`${url} redirects too often`);
  return download(answer.location, redirects - 1);
}
