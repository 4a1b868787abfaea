/** What the library is told by the application. */
export interface GitOptions {
  /** Folder for clones and credential files: a cache which may be emptied at any time. Not shared between processes. */
  dataDir: string;
  /** Variables that Git processes get beside the library's own: PATH, proxies. Nothing else is inherited. */
  environment?: Readonly<Record<string, string>>;
  /** Milliseconds that one exchange with a remote may take; default 60,000. */
  remoteTimeLimit?: number;
}

export const GIT_OPTIONS = Symbol('GitOptions');
