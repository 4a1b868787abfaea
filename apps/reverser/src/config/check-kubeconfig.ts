import { isKubeError, loadKubeConfig } from '#k8s';

/** What is wrong with the way to the cluster, as far as its files tell; nothing where they can be used. */
export function checkKubeconfig(path: string | undefined): string | undefined {
  try {
    loadKubeConfig(path);
    return undefined;
  } catch (error) {
    if (isKubeError(error, 'BadConfig')) return `${error.message}.`;
    throw error;
  }
}
