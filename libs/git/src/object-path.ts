import { createHash } from 'node:crypto';
import type { ObjectRef } from '#domain';
import { GitError } from './git-error.ts';

/** The longest file name that common file systems take, in bytes. */
const MAX_SEGMENT_BYTES = 255;
const HASH_LENGTH = 32;

/**
 * The object's file: `[specPath/]namespaces/<ns>/<Kind>/<name>.yaml` or `[specPath/]cluster-scoped/<Kind>/<name>.yaml`.
 * A pure function of type and name; whatever the names hold, it stays inside the folder.
 * @throws {GitError} PathInvalid for a specPath that leaves the repository
 */
export function objectPath(ref: ObjectRef, specPath: string): string {
  const prefix = checkSpecPath(specPath);
  const scope =
    ref.namespace === undefined ? ['cluster-scoped'] : ['namespaces', segment(escapeBytes(ref.namespace), '')];
  return [
    ...(prefix === '' ? [] : [prefix]),
    ...scope,
    segment(kindFolder(ref), ''),
    segment(escapeBytes(ref.name), '.yaml'),
  ].join('/');
}

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f\\]/;

/** `spec.path` as a folder inside the repository, without leading or trailing slash. */
export function checkSpecPath(specPath: string): string {
  const path = specPath.replace(/^\/+|\/+$/g, '');
  if (path === '') return '';
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..' || /^\.git$|^git~\d+$/i.test(part) || CONTROL.test(part)) {
      throw new GitError(
        'PathInvalid',
        'spec.path must be a plain folder inside the repository, such as clusters/production.',
      );
    }
  }
  if (Buffer.byteLength(path) > 1024) throw new GitError('PathInvalid', 'spec.path is longer than 1024 bytes.');
  return path;
}

function kindFolder(ref: ObjectRef): string {
  const kind = escapeBytes(ref.kind).replaceAll('.', '%2E'); // the first dot parts kind and group
  const builtIn = !ref.group.includes('.') || ref.group.endsWith('.k8s.io');
  return builtIn ? kind : `${kind}.${escapeBytes(ref.group)}`;
}

function segment(escaped: string, suffix: string): string {
  const safe = /^(?:\.{0,2}|\.git)$/i.test(escaped + suffix)
    ? escaped.replace(/^\.?/, '%2E') // an empty name can't be, yet must not merge two folders
    : escaped;
  const whole = safe + suffix;
  if (whole.length <= MAX_SEGMENT_BYTES) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, HASH_LENGTH);
  const head = safe.slice(0, MAX_SEGMENT_BYTES - suffix.length - HASH_LENGTH - 1).replace(/%[0-9A-F]?$/, '');
  return `${head}-${hash}${suffix}`;
}

function escapeBytes(text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text.toWellFormed(), 'utf8')) {
    const character = String.fromCharCode(byte);
    escaped += /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
