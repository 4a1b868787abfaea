import { shellQuote } from '../lib/shell-quote.ts';

/** What a person needs to go on from where the story ended. */
export interface Invitation {
  namespace: string;
  /** Kubeconfigs. */
  alice: string;
  admin: string;
  adminName: string;
  /** The full path of a kubectl that fits, and the one that the shell finds, if any. */
  kubectl: string;
  kubectlOnPath: string | undefined;
  remoteDir: string;
}

/** kubectl may be in the cache of the control plane alone: then it is written with its path. */
export function writeInvitation({ kubectlOnPath, ...given }: Invitation): string {
  const kubectl = kubectlOnPath === undefined ? shellQuote(given.kubectl) : 'kubectl';
  return `
Your turn, in another terminal:

  export KUBECONFIG=${shellQuote(given.alice)}
  ${kubectl} -n ${given.namespace} create configmap hello --from-literal=from=me
  git -C ${shellQuote(given.remoteDir)} log --stat main

As ${given.adminName}: KUBECONFIG=${shellQuote(given.admin)}
Commits appear here as they land. Ctrl-C ends everything.
`;
}
