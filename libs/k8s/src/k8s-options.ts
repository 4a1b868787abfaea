import type { KubeConfig } from '@kubernetes/client-node';

/** What the module needs to know. */
export interface K8sOptions {
  kubeConfig: KubeConfig;
  /** The operator's own namespace, where its Secrets are. */
  podNamespace: string;
  /** Name of its webhook configuration, prefix of its Secrets: a DNS label. */
  instanceName: string;
}

/** Injection token of {@link K8sOptions}. */
export const K8S_OPTIONS = Symbol('K8S_OPTIONS');
