/** Why a rule does not want a change: one word for logs and metric labels. */
export const SKIP_REASONS = [
  'resource-not-selected', // no entry of spec.resources means this kind
  'operation-not-selected', // spec.operations
  'ignored', // gitops-reverser/ignore: "true" as annotation or label
  'dying', // the object is being deleted: its file went with the first DELETE
  'never-captured-namespace', // the operator's own namespace, and the kubelets' heartbeats
  'owned', // it has a controlling owner and spec.includeOwned is false
  'cluster-scoped', // spec.namespaceSelector selects objects in namespaces
  'namespace-not-selected', // spec.namespaceSelector
  'labels-not-selected', // spec.labelSelector
  'labels-excluded', // spec.excludeLabels
  'user-excluded', // spec.excludeUsers
  'field-manager-excluded', // spec.excludeFieldManagers
  'default-kind', // left out of wildcards: NOISE_KINDS
  'default-object', // left out of wildcards: NOISE_OBJECTS
  'default-namespace', // left out of wildcards: NOISE_NAMESPACES
  'default-user', // left out of wildcards: NOISE_USERS
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];
