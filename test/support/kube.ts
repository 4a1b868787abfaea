import { join } from 'node:path';
import type { ControlPlane } from '../../tools/control-plane/index.ts';
import { tryCommand, type CommandResult } from '../../tools/lib/run-command.ts';

export { KubeError } from '../../tools/kube/kube-client.ts';
export type { LiveObject, ObjectName } from '../../tools/kube/kube-user.ts';
export { KubeUser } from '../../tools/kube/kube-user.ts';
export { installCrd, installCrds } from '../../tools/kube/install-crds.ts';

/** Runs kubectl as a user, with an own discovery cache; throws unless it succeeds. `input` is its standard input (`-f -`). */
export async function runKubectl(
  controlPlane: ControlPlane,
  user: string,
  args: string[],
  input?: string,
): Promise<string> {
  const result = await tryKubectl(controlPlane, user, args, input);
  if (result.code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with code ${result.code}:\n${result.stderr}`);
  return result.stdout;
}

export function tryKubectl(
  controlPlane: ControlPlane,
  user: string,
  args: string[],
  input?: string,
): Promise<CommandResult> {
  const kubeconfig = controlPlane.kubeconfigFor(user);
  return tryCommand(controlPlane.kubectl, args, {
    env: { PATH: process.env['PATH'], HOME: join(kubeconfig, '..'), KUBECONFIG: kubeconfig },
    input,
  });
}
