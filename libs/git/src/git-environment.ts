import type { GitCredentials } from './parse-credentials.ts';
import type { RepositoryUrl } from './parse-repository-url.ts';

/** Files that hold what a transport needs; each is readable by us only. */
export interface CredentialFiles {
  privateKey: string;
  knownHosts: string;
  ca: string;
  /** Socket of the ssh connection that is kept open between exchanges. */
  control: string;
}

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Seconds without progress after which an http transfer is given up. */
const STALL_SECONDS = 30;

/** What every Git process gets: nobody's configuration, no questions, no shell transports. */
export function baseEnvironment(home: string, inherited: Readonly<Record<string, string>>): Record<string, string> {
  return {
    PATH: SEARCH_PATH,
    ...inherited,
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
  };
}

/** {@link baseEnvironment} and what is needed to reach the remote. Secrets travel here and in files, never in arguments. */
export function remoteEnvironment(
  base: Readonly<Record<string, string>>,
  url: RepositoryUrl,
  credentials: GitCredentials,
  files: CredentialFiles,
): Record<string, string> {
  const config: [string, string][] = [
    // The clone's own configuration says nothing of its origin: a push then never fetches a blob that it lacks.
    ['remote.origin.url', url.text],
    ['remote.origin.promisor', 'true'],
    ['remote.origin.partialclonefilter', 'blob:none'],
    ['protocol.allow', 'never'],
    [`protocol.${url.transport}.allow`, 'always'],
    ['protocol.ext.allow', 'never'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['push.recurseSubmodules', 'no'],
    ['fetch.recurseSubmodules', 'no'],
    ['core.hooksPath', '/dev/null'],
  ];
  const environment: Record<string, string> = { ...base };
  if (url.transport === 'ssh') {
    environment['GIT_SSH_COMMAND'] = sshCommand(files);
    environment['GIT_SSH_VARIANT'] = 'ssh';
  } else if (url.transport !== 'file') {
    config.push(
      ['http.lowSpeedLimit', '1'],
      ['http.lowSpeedTime', String(STALL_SECONDS)],
      ['credential.helper', ''],
      ['core.askPass', ''],
    );
    const header = authorization(credentials);
    if (header !== undefined) config.push([`http.${url.text}.extraHeader`, `Authorization: ${header}`]);
    if ('ca' in credentials && credentials.ca !== undefined) config.push(['http.sslCAInfo', files.ca]);
  }
  return { ...environment, ...configEnvironment(config) };
}

function authorization(credentials: GitCredentials): string | undefined {
  switch (credentials.kind) {
    case 'basic':
      return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
    case 'bearer':
      return `Bearer ${credentials.token}`;
    case 'ssh':
    case 'anonymous':
      return undefined;
  }
}

function configEnvironment(config: readonly [string, string][]): Record<string, string> {
  const environment: Record<string, string> = { GIT_CONFIG_COUNT: String(config.length) };
  for (const [index, [key, value]] of config.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return environment;
}

/**
 * Seconds that an idle ssh connection is kept: a push over an open one saves the handshake, 0.4 s on 2 shared cores.
 * The process that keeps it is nobody's child: in a container, process 1 has to reap it (see the Dockerfile).
 */
const CONNECTION_KEPT = 60;
/** A socket's path has at most 107 bytes, and ssh appends 17 while it makes one. */
const MAX_SOCKET_PATH = 88;

/** Whether the connection is kept; with a long DATA_DIR it is not. */
export function keepsConnection(files: CredentialFiles): boolean {
  return Buffer.byteLength(files.control) <= MAX_SOCKET_PATH;
}

/** The arguments with which `ssh` ends the kept connection. */
export function endConnectionArguments(files: CredentialFiles): string[] {
  return ['-F', '/dev/null', '-o', `ControlPath=${sshQuote(files.control)}`, '-O', 'exit', 'kept'];
}

/** Git hands this to a shell, and ssh splits option values at spaces and expands `%`: quoted for all three. */
function sshCommand(files: CredentialFiles): string {
  const option = (name: string, value: string): string => `-o ${shellQuote(`${name}=${value}`)}`;
  return [
    'ssh',
    '-F /dev/null',
    option('IdentityFile', sshQuote(files.privateKey)),
    option('UserKnownHostsFile', sshQuote(files.knownHosts)),
    option('GlobalKnownHostsFile', '/dev/null'),
    option('StrictHostKeyChecking', 'yes'),
    option('UpdateHostKeys', 'no'),
    option('IdentitiesOnly', 'yes'),
    option('IdentityAgent', 'none'),
    option('BatchMode', 'yes'),
    option('PreferredAuthentications', 'publickey'),
    option('ConnectTimeout', '15'),
    option('ServerAliveInterval', '10'),
    option('ServerAliveCountMax', '3'),
    ...(keepsConnection(files)
      ? [
          option('ControlMaster', 'auto'),
          option('ControlPath', sshQuote(files.control)),
          option('ControlPersist', String(CONNECTION_KEPT)),
        ]
      : []),
    option('ForwardAgent', 'no'),
    option('ClearAllForwardings', 'yes'),
    option('LogLevel', 'ERROR'),
  ].join(' ');
}

function sshQuote(path: string): string {
  return `"${path.replace(/%/g, '%%').replace(/(["\\])/g, '\\$1')}"`;
}

function shellQuote(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}
