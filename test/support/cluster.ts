import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  ADMIN,
  startControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from '../../tools/control-plane/index.ts';
import type { CommandResult } from '../../tools/lib/run-command.ts';
import { KubeUser, installCrds, runKubectl, tryKubectl } from './kube.ts';
import { OPERATOR_NAMESPACE } from './operator.ts';

/** A control plane with the operator's custom resources and namespace: as it is before the operator starts. */
export interface TestCluster {
  readonly controlPlane: ControlPlane;
  readonly admin: KubeUser;
  /** Acts as one of the control plane's users. */
  asUser(name: string): KubeUser;
  kubeconfigFor(user: string): string;
  /** Throws unless it succeeds; returns its standard output. */
  kubectl(args: string[], options?: { user?: string; input?: string }): Promise<string>;
  tryKubectl(args: string[], options?: { user?: string; input?: string }): Promise<CommandResult>;
  /** Makes a namespace with a name that no other test has, and returns the name. */
  createNamespace(labels?: Record<string, string>): Promise<string>;
  stop(): Promise<void>;
}

const CRDS = join(import.meta.dirname, '..', '..', 'charts', 'gitops-reverser', 'crds');

/**
 * One per test file, in `beforeAll`. It takes about five seconds, and buys that no file sees another's rules, operators
 * or webhook configurations, and that files may run at once and in any order.
 */
export async function startTestCluster(options: ControlPlaneOptions = {}): Promise<TestCluster> {
  const controlPlane = await startControlPlane(options);
  const users = new Map<string, KubeUser>();
  const asUser = (name: string): KubeUser => {
    const user = users.get(name) ?? new KubeUser(controlPlane.clientFor(name));
    users.set(name, user);
    return user;
  };
  const admin = asUser(ADMIN);
  const createNamespace = async (name: string, labels: Record<string, string> = {}): Promise<string> => {
    await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    return name;
  };
  try {
    await Promise.all([installCrds(admin, CRDS), createNamespace(OPERATOR_NAMESPACE)]);
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
  return {
    controlPlane,
    admin,
    asUser,
    kubeconfigFor: (user) => controlPlane.kubeconfigFor(user),
    kubectl: (args, { user = ADMIN, input } = {}) => runKubectl(controlPlane, user, args, input),
    tryKubectl: (args, { user = ADMIN, input } = {}) => tryKubectl(controlPlane, user, args, input),
    createNamespace: (labels) => createNamespace(`test-${randomBytes(4).toString('hex')}`, labels),
    stop: () => controlPlane.stop(),
  };
}
