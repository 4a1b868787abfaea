/** What Git processes inherit: where commands are, where temporary files go, and how the network is reached. */
const INHERITED = /^(PATH|TMPDIR|(https?|no|all)_proxy)$/i;

export function gitEnvironment(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => INHERITED.test(entry[0]) && entry[1] !== undefined,
    ),
  );
}
