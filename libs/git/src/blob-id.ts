import { createHash } from 'node:crypto';

/** The id that Git gives a file with this text (SHA-1 repositories). */
export function blobId(content: string): string {
  const bytes = Buffer.from(content, 'utf8');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
