import { GitError } from './git-error.ts';

/** A remote repository's address, checked. */
export interface RepositoryUrl {
  transport: 'ssh' | 'https' | 'http' | 'file';
  /** What Git is given; it never holds a password. */
  text: string;
  user?: string;
  /** Lower case; absent for files. */
  host?: string;
  port?: number;
  path: string;
  /** The repository's identity for locks and caches: without user, scheme, default port, `.git` and case of the host. */
  normalized: string;
}

const DEFAULT_PORTS = { ssh: 22, https: 443, http: 80 } as const;
const FORMS = 'Use ssh://, git@host:org/repo.git, https:// or http://';
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])$/;
const USER = /^[A-Za-z0-9_.][A-Za-z0-9_.@+-]*$/;

/** @throws {GitError} UrlInvalid, FileUrlNotAllowed. The message never repeats the URL: it may hold a password. */
export function parseRepositoryUrl(text: string, options: { allowFileUrls: boolean }): RepositoryUrl {
  // eslint-disable-next-line no-control-regex
  if (text === '' || /[\u0000-\u0020\u007f-\u00a0\u2028\u2029]/.test(text)) {
    throw invalid('The repository URL is empty or holds spaces or control characters');
  }
  if (text.startsWith('-')) throw invalid('The repository URL must not begin with a dash');
  if (/^[A-Za-z0-9+.-]+::/.test(text)) throw invalid('Git remote helpers (name::address) are not allowed');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return parseScpLike(text);
  switch (scheme) {
    case 'file':
      return parseFile(text, options.allowFileUrls);
    case 'ssh':
    case 'https':
    case 'http':
      return parseNetwork(text, scheme);
    default:
      throw invalid(`The transport ${scheme}:// is not supported`);
  }
}

function parseNetwork(text: string, transport: 'ssh' | 'https' | 'http'): RepositoryUrl {
  const match = /^[^:]+:\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/@[\]]+)(?::(\d{1,5}))?(\/.*)$/.exec(text);
  if (match === null) throw invalid('The repository URL has no host and path');
  const [, userInfo, host = '', portText, path = ''] = match;
  if (userInfo?.includes(':') === true) {
    throw invalid('The repository URL holds a password; put user name and password into the Secret of spec.secretRef');
  }
  if (/[?#]/.test(path)) throw invalid('The repository URL has a query or a fragment');
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65535)) throw invalid('The port of the repository URL is out of range');
  return network({ transport, user: userInfo, host, port, path });
}

function parseScpLike(text: string): RepositoryUrl {
  const match = /^(?:([^@:/]+)@)?(\[[^\]/]*\]|[^:/@[\]]+):(.+)$/.exec(text);
  if (match === null) throw invalid('The repository URL is in no form that is known');
  const [, user, host = '', path = ''] = match;
  const parsed = network({ transport: 'ssh', user, host, port: undefined, path });
  return { ...parsed, text };
}

function network(parts: {
  transport: 'ssh' | 'https' | 'http';
  user: string | undefined;
  host: string;
  port: number | undefined;
  path: string;
}): RepositoryUrl {
  const { transport, user, port, path } = parts;
  if (!HOST.test(parts.host)) throw invalid('The host of the repository URL is not a host name or address');
  if (user !== undefined && !USER.test(user))
    throw invalid('The user of the repository URL holds characters that are not allowed');
  if (path.startsWith('-') || path.startsWith('/-'))
    throw invalid('The path of the repository URL must not begin with a dash');
  if (/^\/*$/.test(path)) throw invalid('The repository URL names no repository');
  const host = parts.host.toLowerCase();
  const otherPort = port === undefined || port === DEFAULT_PORTS[transport] ? '' : `:${port}`;
  // A user name in an http URL would make Git ask for its password instead of sending the Secret's.
  const shownUser = transport === 'ssh' && user !== undefined ? `${user}@` : '';
  return {
    transport,
    text: `${transport}://${shownUser}${host}${otherPort}${path.startsWith('/') ? path : `/${path}`}`,
    ...(user === undefined ? {} : { user }),
    host,
    ...(port === undefined ? {} : { port }),
    path,
    normalized: `${host}${otherPort}/${plainPath(path)}`,
  };
}

function parseFile(text: string, allowed: boolean): RepositoryUrl {
  const path = /^file:\/\/(?:localhost)?(\/.+)$/i.exec(text)?.[1];
  if (path === undefined) throw invalid('A file URL has the form file:///absolute/path');
  if (!allowed) {
    throw new GitError('FileUrlNotAllowed', `file:// repositories are switched off (ALLOW_FILE_URLS). ${FORMS}.`);
  }
  return { transport: 'file', text: `file://${path}`, path, normalized: `file:///${plainPath(path)}` };
}

function plainPath(path: string): string {
  return path
    .replace(/^[/~]+/, '')
    .replace(/\/{2,}/g, '/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
}

function invalid(what: string): GitError {
  return new GitError('UrlInvalid', `${what}. ${FORMS}.`);
}
