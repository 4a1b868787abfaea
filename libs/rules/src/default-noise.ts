import { labelOf } from './label-selector.ts';
import type { MatchFacts } from './match-facts.ts';

/*
 * What an entry with kind "*" leaves out. An entry that names its kind leaves out none of it: who asks for Secrets gets
 * all Secrets, Helm's releases included, and says with excludeLabels, excludeUsers or the ignore annotation what is too much.
 */

/** Kinds that machines write all the time, or that only describe what another object already says. */
export const NOISE_KINDS: readonly { group: string; kind: string }[] = [
  { group: '', kind: 'Event' }, // a log, not a state
  { group: 'events.k8s.io', kind: 'Event' }, // the same objects in their newer group
  { group: 'coordination.k8s.io', kind: 'Lease' }, // heartbeats
  { group: 'coordination.k8s.io', kind: 'LeaseCandidate' }, // who would take a lease next
  { group: '', kind: 'Endpoints' }, // follow Services and Pods
  { group: 'discovery.k8s.io', kind: 'EndpointSlice' }, // follow Services and Pods
  { group: 'networking.k8s.io', kind: 'IPAddress' }, // one for each address of a Service, made by the API server
  { group: '', kind: 'Node' }, // written by kubelets
  { group: 'storage.k8s.io', kind: 'CSINode' }, // what kubelets say of their drivers
  { group: 'storage.k8s.io', kind: 'CSIStorageCapacity' }, // what provisioners measure
  { group: 'storage.k8s.io', kind: 'VolumeAttachment' }, // follow Pods to their nodes
  { group: 'resource.k8s.io', kind: 'ResourceSlice' }, // what drivers say of the devices of a node
  { group: '', kind: 'Pod' }, // expansions of workloads
  { group: 'apps', kind: 'ReplicaSet' }, // expansions of Deployments
  { group: 'apps', kind: 'ControllerRevision' }, // history of StatefulSets and DaemonSets
  { group: 'certificates.k8s.io', kind: 'CertificateSigningRequest' }, // requests, each used once
  { group: 'certificates.k8s.io', kind: 'PodCertificateRequest' }, // the same, by kubelets
  { group: 'internal.apiserver.k8s.io', kind: 'StorageVersion' }, // how each API server encodes each type
  { group: 'authentication.k8s.io', kind: 'TokenReview' }, // questions that are never stored
  { group: 'authentication.k8s.io', kind: 'TokenRequest' },
  { group: 'authentication.k8s.io', kind: 'SelfSubjectReview' },
  { group: 'authorization.k8s.io', kind: 'SubjectAccessReview' },
  { group: 'authorization.k8s.io', kind: 'LocalSubjectAccessReview' },
  { group: 'authorization.k8s.io', kind: 'SelfSubjectAccessReview' },
  { group: 'authorization.k8s.io', kind: 'SelfSubjectRulesReview' },
];

/** Single objects of kinds that are wanted otherwise. */
const NOISE_OBJECTS: readonly { group?: string; kind: string; secretType?: string; name?: string; label?: string }[] = [
  { kind: 'Secret', secretType: 'helm.sh/release.v1' }, // Helm's own records, one per release and revision
  { kind: 'Secret', secretType: 'kubernetes.io/service-account-token' }, // filled by the token controller
  { kind: 'ConfigMap', name: 'kube-root-ca.crt' }, // published into every namespace by a controller
  { group: 'apiregistration.k8s.io', kind: 'APIService', label: 'kube-aggregator.kubernetes.io/automanaged' }, // made by the API server of each group and version, and of each CRD
];

/** Brought back by a namespaceSelector, too: what it selects is wanted. */
export const NOISE_NAMESPACES: ReadonlySet<string> = new Set(['kube-system']);

/**
 * Writers that act for the cluster itself, as patterns. Their deletions are not left out: the garbage collector and the
 * namespace controller carry out what a user asked for, and a file whose object is gone would be a false record.
 *
 * `system:apiserver` is none of them: what it writes all the time is in the tables above, and the rest (bootstrap roles, flow
 * schemas, priority classes, set right when it starts in a new version) is rare and says who may do what.
 */
export const NOISE_USERS: readonly string[] = ['system:serviceaccount:kube-system:*'];

const NOISE_KIND_KEYS = new Set(NOISE_KINDS.map(({ group, kind }) => `${group}/${kind}`));

export function isNoiseKind(type: { group: string; kind: string }): boolean {
  return NOISE_KIND_KEYS.has(`${type.group}/${type.kind}`);
}

export function isNoiseObject(facts: MatchFacts): boolean {
  return NOISE_OBJECTS.some(
    ({ group = '', kind, secretType, name, label }) =>
      kind === facts.type.kind &&
      group === facts.type.group &&
      (secretType === undefined || secretType === facts.secretType) &&
      (name === undefined || name === facts.name) &&
      (label === undefined || labelOf(facts.labels, label) !== undefined),
  );
}
