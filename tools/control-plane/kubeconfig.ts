/** A kubeconfig for one user, as JSON, which every reader of YAML takes. */
export function kubeconfigText(server: { url: string; caFile: string }, user: { name: string; token: string }): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster: { server: server.url, 'certificate-authority': server.caFile } }],
    users: [{ name: user.name, user: { token: user.token } }],
    contexts: [{ name: 'local', context: { cluster: 'local', user: user.name, namespace: 'default' } }],
    'current-context': 'local',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
