import { KubeApi, loadKubeConfig, WebhookRegistrar } from '#k8s';
import type { Settings } from './config/settings.ts';

/** Removes what the operator itself created in the cluster: its webhook configuration and its Secrets. */
export async function uninstall(settings: Settings): Promise<void> {
  const { podNamespace, instanceName } = settings;
  const kubeConfig = loadKubeConfig(settings.kubeconfig);
  const api = new KubeApi(kubeConfig);
  try {
    await new WebhookRegistrar(api, { kubeConfig, podNamespace, instanceName }).remove();
    process.stdout.write(`Removed the webhook configuration ${instanceName} and its Secrets in ${podNamespace}.\n`);
  } finally {
    api.close();
  }
}
