import { GitError, type GitErrorCode } from './git-error.ts';
import { toErrorText } from './escape-text.ts';

/** How a command failed, as the runner saw it. */
export interface CommandFailure {
  /** `push`, `fetch`, `ls-remote`, or a local command. */
  command: string;
  exitCode: number | null;
  /** With LC_ALL=C. */
  stderr: string;
  killedBy?: 'time-limit' | 'abort' | 'output-limit';
  startError?: { code?: string | undefined };
  /** The folder to run in was gone. */
  folderMissing?: boolean;
  /** Credentials were sent. */
  authenticated: boolean;
}

interface Rule {
  code: GitErrorCode;
  pattern: RegExp;
  /** Only for these commands. */
  commands?: readonly string[];
}

const PUSH = ['push'];
/** What can go wrong without a remote. */
const LOCAL_CODES: ReadonlySet<GitErrorCode> = new Set<GitErrorCode>(['DiskFull', 'DataDirUnwritable', 'CloneCorrupt']);

/** The texts of Git, OpenSSH, curl and the large hosts; the first that matches decides, so the more exact ones stand first. */
const RULES: readonly Rule[] = [
  {
    code: 'HostKeyMismatch',
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for \S+ has changed|certificate authority mismatch/i,
  },
  { code: 'HostKeyUnknown', pattern: /No \S+ host key is known for|Host key verification failed/i },
  { code: 'BranchNotFound', pattern: /couldn't find remote ref/i, commands: ['fetch'] },
  {
    code: 'HostUnknown',
    pattern: /Could not resolve host(?:name)?|Temporary failure in name resolution|Name or service not known/i,
  },
  {
    code: 'TlsUntrusted',
    pattern:
      /SSL certificate problem|server certificate verification failed|certificate subject name|no alternative certificate subject name|self.signed certificate|unable to get local issuer/i,
  },
  // The remote's own disk comes before ours: its words arrive behind `remote:`.
  {
    code: 'RemoteFailed',
    pattern:
      /^remote: .*(?:No space left on device|Disk quota exceeded)|unpacker error|\[remote rejected\].*(?:unpack|No space left)/im,
  },
  { code: 'DiskFull', pattern: /No space left on device|Disk quota exceeded/i },
  {
    code: 'BranchProtected',
    pattern:
      /GH006|protected branch|GL-HOOK-ERR.*protected|not allowed to (?:force )?push code to protected|TF402455|branch is protected/i,
    commands: PUSH,
  },
  {
    code: 'PushRefused',
    pattern:
      /pre-receive hook declined|hook declined|GH001|GH009|GH013|exceeds .*(?:file size|limit)|TF401027.*|push declined|deny updating|refusing to update checked out branch|fsck error|branch is currently checked out/i,
    commands: PUSH,
  },
  {
    code: 'LeaseStale',
    pattern:
      /stale info|\(fetch first\)|non-fast-forward|incorrect old value|but expected|reference already exists|\.lock': File exists|failed to update ref/i,
    commands: PUSH,
  },
  {
    code: 'PushNotPermitted',
    pattern:
      /key .*read.only|marked as read only|deploy key .*(?:read|not .*write)|Write access to repository not granted|Permission to \S+ denied|not allowed to (?:push|upload)|You are not allowed to push|service not enabled|The requested URL returned error: 403|insufficient permission for adding an object|unable to (?:create|write).*Permission denied|cannot lock ref .*Permission denied|Unauthorized access for git-receive-pack/i,
    commands: PUSH,
  },
  { code: 'CredentialsInvalid', pattern: /Load key .*: (?!.*No such file)/i },
  {
    code: 'AuthenticationFailed',
    pattern:
      /The requested URL returned error: 40[13]|Permission denied \([a-z,-]+\)|Authentication failed|could not read (?:Username|Password)|Invalid username or (?:password|token)|HTTP Basic: Access denied|Too many authentication failures|terminal prompts disabled/i,
  },
  {
    code: 'RepositoryNotFound',
    pattern:
      /does not appear to be a git repository|Repository not found|repository '.*' not found|The requested URL returned error: 404|project you were looking for could not be found|does not exist or you do not have|not a git repository: |dubious ownership/i,
  },
  {
    code: 'RemoteTimeout',
    pattern:
      /Operation timed out|Connection timed out|timed out after|Operation too slow|Timeout, server .* not responding|The requested URL returned error: (?:408|504)/i,
  },
  {
    code: 'HostUnreachable',
    pattern:
      /Connection refused|No route to host|Network is unreachable|Failed to connect to|Couldn't connect to server|Connection reset|Connection closed by|kex_exchange_identification|Could not resolve proxy|banner exchange/i,
  },
  {
    code: 'RemoteFailed',
    pattern:
      /The requested URL returned error: \d{3}|early EOF|unexpected disconnect|the remote end hung up|RPC failed|remote unpack failed|\[remote (?:rejected|failure)\]|Empty reply from server|protocol error|bad line length|expected flush/i,
  },
  {
    code: 'DataDirUnwritable',
    pattern: /Read-only file system|Permission denied|Operation not permitted|insufficient permission/i,
  },
  {
    code: 'CloneCorrupt',
    pattern:
      /not a git repository|bad object|corrupt|loose object|missing (?:blob|tree|commit)|unable to read (?:tree|sha1)|invalid object|unable to find|index-pack failed|bad revision|pack has bad|not a valid object|could not read|Not a valid|does not match index|shallow file has changed/i,
  },
];

const ADVICE: Partial<Record<GitErrorCode, string>> = {
  HostKeyMismatch:
    "The remote shows another host key than known-hosts holds. If the host's key was rotated, check the new one with its operator and replace the entry; else somebody may be in between",
  HostKeyUnknown:
    'known-hosts holds no key for this host (or none of this type or port): add the checked output of `ssh-keyscan <host>` to the Secret',
  HostUnknown: 'The host name of the repository URL does not resolve: correct spec.url, or check DNS from the pod',
  HostUnreachable: 'The host refuses the connection or can not be reached: check host, port and network policies',
  TlsUntrusted:
    "The server's certificate is not trusted: put its authority's certificate into the key ca.crt of the Secret, or correct the host name",
  CredentialsMissing:
    'The remote asks for credentials and there are none: set spec.secretRef to a Secret with username and password, or bearerToken',
  CredentialsInvalid:
    'ssh can not read the private key of the Secret: store it unchanged, in OpenSSH or PEM form and without a passphrase',
  AuthenticationFailed:
    'The remote does not accept the credentials of the Secret: replace the key, password or token, or register the key with the host',
  PushNotPermitted: 'The credentials may read but not push: give the key or account write access',
  RepositoryNotFound:
    'The remote knows no such repository, or the credentials may not see it: correct spec.url, create the repository, or grant access',
  BranchNotFound: 'The remote has no such branch',
  BranchProtected:
    'The branch is protected against pushes: allow the account to push to it, or name another spec.branch',
  PushRefused: "A hook or rule of the remote refuses the commits: see its words, and allow the operator's commits",
  LeaseStale: 'The branch moved while its commits were prepared: it is fetched and planned again',
  RemoteTimeout: 'The remote did not answer in time: it is tried again',
  RemoteFailed: 'The remote failed: it is tried again',
  DataDirUnwritable: 'The data directory can not be written: make DATA_DIR a writable folder of the operator',
  DiskFull: 'The disk of the data directory is full: give DATA_DIR more room, or empty it',
  CloneCorrupt: 'The clone in the data directory is damaged: it is made anew',
  GitUnavailable: 'The git command can not be started: install git on the PATH of the operator',
  Aborted: 'The operation was stopped',
};

/** Names the cause of a failed command. Pure; the texts are those of Git 2.39 to 2.5x, OpenSSH 9 and the large hosts. */
export function classifyFailure(failure: CommandFailure): GitErrorCode {
  if (failure.killedBy === 'abort') return 'Aborted';
  if (failure.killedBy === 'time-limit') return isRemote(failure.command) ? 'RemoteTimeout' : 'CloneCorrupt';
  if (failure.killedBy === 'output-limit') return isRemote(failure.command) ? 'RemoteFailed' : 'CloneCorrupt';
  if (failure.startError !== undefined) return failure.folderMissing === true ? 'CloneCorrupt' : 'GitUnavailable';
  for (const rule of RULES) {
    if (!applies(rule, failure.command)) continue;
    if (!rule.pattern.test(failure.stderr)) continue;
    return rule.code === 'AuthenticationFailed' && !failure.authenticated ? 'CredentialsMissing' : rule.code;
  }
  return isRemote(failure.command) ? 'RemoteFailed' : 'CloneCorrupt';
}

function applies(rule: Rule, command: string): boolean {
  if (!isRemote(command)) return LOCAL_CODES.has(rule.code);
  return rule.commands?.includes(command) ?? true;
}

/** The error for a failed command. `stderr` must have lost its secrets already. */
export function failureToError(code: GitErrorCode, failure: CommandFailure): GitError {
  const said = toErrorText(failure.stderr);
  const advice = ADVICE[code] ?? 'Git failed';
  return new GitError(code, said === '' ? `${advice}.` : `${advice}. It said: ${said}`, new Error(failure.stderr));
}

function isRemote(command: string): boolean {
  return command === 'push' || command === 'fetch' || command === 'ls-remote';
}
