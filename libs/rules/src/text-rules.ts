import { OPERATIONS } from '#domain';

/** One rule about a text, and what to do where it does not hold. */
export interface TextRule {
  holds: (text: string) => boolean;
  otherwise: string;
}

// The same rules stand as CEL in the resources' schemas: these also serve where an older schema is installed.

const HOST = String.raw`(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)`;
const SCP_HOST = String.raw`(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]+)`; // one letter is a Windows drive
const USER = '([A-Za-z0-9_.+~][A-Za-z0-9_.+~-]*@)?'; // a user or host that begins with '-' would be an option of ssh
const PORT = '(:[0-9]{1,5})?';
const HTTP_URL = new RegExp(String.raw`^https?://${HOST}${PORT}/[^\s\0-\x1f\x7f?#]+$`, 'u');
const SSH_URL = new RegExp(String.raw`^ssh://${USER}${HOST}${PORT}/[^\s\0-\x1f\x7f]+$`, 'u');
const FILE_URL = new RegExp(String.raw`^file:///[^\0-\x1f\x7f]+$`, 'u');
const SCP_LIKE = new RegExp(
  String.raw`^${USER}${SCP_HOST}:([^\s\0-\x1f\x7f:/\-]|/[^\s\0-\x1f\x7f/])[^\s\0-\x1f\x7f]*$`,
  'u',
);
const SCHEME_AS_HOST = /^(https?|ssh|git|ftps?|file):/; // https:/host/path
const CREDENTIALS = /^(https?:\/\/[^/]*@|[a-z+]+:\/\/[^/@]*:[^/]*@)/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const CONTROL = /\p{Cc}/u;

const WELL_FORMED: TextRule = { holds: (text) => text.isWellFormed(), otherwise: 'must be valid Unicode' };

export const URL_RULES: readonly TextRule[] = [
  {
    holds: (url) => !CREDENTIALS.test(url),
    otherwise:
      "the URL must not hold credentials: put them in a Secret, name it in spec.secretRef, and remove the part before '@'",
  },
  {
    holds: (url) =>
      CREDENTIALS.test(url) || // reported above
      [HTTP_URL, SSH_URL, FILE_URL].some((form) => form.test(url)) ||
      (SCP_LIKE.test(url) && !SCHEME_AS_HOST.test(url)),
    otherwise:
      'write the URL as ssh://git@host/path, git@host:path, https://host/path, http://host/path or file:///path',
  },
  { holds: (url) => url.length <= 2048, otherwise: 'the URL may have up to 2048 characters' },
  WELL_FORMED,
];

/** git check-ref-format, and what `git branch` refuses besides. */
export const BRANCH_RULES: readonly TextRule[] = [
  { holds: (name) => name !== '', otherwise: 'name a branch, or remove the field for main' },
  {
    holds: (name) => !CONTROL.test(name) && !/[ ~^:?*[\\]/.test(name),
    otherwise: 'a branch name must not hold spaces, control characters or any of ~ ^ : ? * [ \\: choose another name',
  },
  {
    holds: (name) => !name.includes('..') && !name.includes('@{') && !name.includes('//') && name !== '@',
    otherwise: "a branch name must not hold '..', '@{' or '//', nor be '@': choose another name",
  },
  {
    holds: (name) => !name.startsWith('/') && !/[/.]$/.test(name),
    otherwise: "a branch name must not begin or end with '/' nor end with '.'",
  },
  {
    holds: (name) => !/(^|\/)\.|\.lock(\/|$)/.test(name),
    otherwise: "no part of a branch name between slashes may begin with '.' or end with '.lock'",
  },
  {
    holds: (name) => !name.startsWith('-') && name !== 'HEAD',
    otherwise: "a branch name must not begin with '-' nor be HEAD",
  },
  {
    holds: (name) => !name.startsWith('refs/'),
    otherwise: 'write the short name of the branch, such as main instead of refs/heads/main',
  },
  { holds: (name) => Buffer.byteLength(name) <= 244, otherwise: 'a branch name may have up to 244 bytes' },
  WELL_FORMED,
];

export const PATH_RULES: readonly TextRule[] = [
  {
    holds: (path) => !path.startsWith('/'),
    otherwise: "the path must not begin with '/', it is relative to the root of the repository",
  },
  {
    holds: (path) => !/(^|\/)\.\.?(\/|$)/.test(path),
    otherwise: "the path must not hold '.' or '..' as a folder, write the folder's own name",
  },
  {
    holds: (path) => !/(^|\/)(\.git|git~1)(\/|$)/i.test(path), // git~1: the short name of .git on Windows
    otherwise: 'the path must not hold .git as a folder, choose another name',
  },
  {
    holds: (path) => !path.includes('//') && !path.includes('\\') && !CONTROL.test(path),
    otherwise: "the path must not hold '//', a backslash or control characters, separate folders by one '/'",
  },
  {
    // The second half is what file systems allow, for names beyond ASCII.
    holds: (path) => !/[^/]{201}/u.test(path) && path.split('/').every((folder) => Buffer.byteLength(folder) <= 255),
    otherwise: "a folder's name may have up to 200 characters and 255 bytes, write a shorter one",
  },
  { holds: (path) => path.length <= 1024, otherwise: 'the path may have up to 1024 characters' },
  WELL_FORMED,
];

export const COMMITTER_NAME_RULES: readonly TextRule[] = [
  {
    // Git drops punctuation at both ends of a name and refuses what is empty then.
    holds: (name) => !CONTROL.test(name) && !/[<>]/.test(name) && /[^\s.,:;"'\\]/.test(name),
    otherwise: 'write a name of one line without < and >',
  },
  WELL_FORMED,
];

export const EMAIL_RULES: readonly TextRule[] = [
  {
    holds: (email) => !CONTROL.test(email) && /^[^\s<>@]+@[^\s<>@]+$/.test(email),
    otherwise: 'write an e-mail address such as reverser@example.com',
  },
  WELL_FORMED,
];

export const DOMAIN_RULES: readonly TextRule[] = [
  {
    holds: (domain) => domain.length <= 253 && DNS_SUBDOMAIN.test(domain.toLowerCase()),
    otherwise: "write a domain name such as example.com, without '@'",
  },
];

export function objectNameRules(kind: string): readonly TextRule[] {
  return [
    {
      holds: (name) => name.length <= 253 && DNS_SUBDOMAIN.test(name),
      otherwise: `write the name of a ${kind} in the same namespace: lower-case letters, digits, '-' and '.'`,
    },
  ];
}

export const API_VERSION_RULES: readonly TextRule[] = [
  {
    holds: (text) =>
      text === '*' ||
      /^v[0-9]+((alpha|beta)[0-9]+)?$/.test(text) ||
      /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/(\*|[a-z]([-a-z0-9]*[a-z0-9])?)$/.test(text),
    otherwise: 'write apiVersion as v1, group/version (apps/v1), group/* (apps/*) or "*"',
  },
  { holds: (text) => !text.startsWith('core/'), otherwise: 'the core group has no name, write apiVersion as v1' },
];

export const KIND_RULES: readonly TextRule[] = [
  {
    holds: (kind) => kind === '*' || /^[A-Za-z]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(kind),
    otherwise: 'write kind as manifests do, such as ConfigMap, or "*" for every kind',
  },
];

export const OPERATION_RULES: readonly TextRule[] = [
  {
    holds: (text) => OPERATIONS.some((operation) => operation === text),
    otherwise: `must be one of ${OPERATIONS.join(', ')}`,
  },
];

export const PATTERN_RULES: readonly TextRule[] = [
  { holds: (pattern) => pattern !== '', otherwise: 'write a name, or a pattern with "*"' },
];
