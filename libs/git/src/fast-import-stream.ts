import type { PlannedCommit } from './plan-commits.ts';
import { commitMessage, identityText, resyncMessage } from './commit-message.ts';

/** The stream for `git fast-import --done` that writes the commits on `base`; it prints one commit id a line. */
export function* fastImportStream(
  commits: readonly PlannedCommit[],
  base: string | undefined,
  ref: string,
): Generator<Buffer> {
  for (const [index, commit] of commits.entries()) {
    const mark = index + 1;
    const from = index > 0 ? `:${mark - 1}` : base;
    const [first] = commit.changes;
    const message =
      commit.changes.length === 1 && first !== undefined ? commitMessage(first) : resyncMessage(commit.changes);
    yield Buffer.from(
      `commit ${ref}\nmark :${mark}\n` +
        `author ${identityText(commit.author)} ${commit.authorTime} +0000\n` +
        `committer ${identityText(commit.committer)} ${commit.committerTime} +0000\n`,
    );
    yield data(message);
    if (from !== undefined) yield Buffer.from(`from ${from}\n`);
    for (const file of commit.files) {
      if (file.content === null) {
        yield Buffer.from(`D ${quotePath(file.path)}\n`);
      } else {
        yield Buffer.from(`M 100644 inline ${quotePath(file.path)}\n`);
        yield data(file.content);
      }
    }
    yield Buffer.from(`\nget-mark :${mark}\n`);
  }
  yield Buffer.from('done\n');
}

function data(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}

/** A path as fast-import reads it: quoted as a C string where it is more than plain characters. */
function quotePath(path: string): string {
  if (/^[A-Za-z0-9._%/-]+$/.test(path)) return path;
  return `"${path.replace(/["\\]/g, (character) => `\\${character}`)}"`;
}
