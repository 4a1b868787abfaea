import type { RemovalRule } from './apply-rules.ts';
import {
  all,
  any,
  builtIn,
  controlled,
  has,
  is,
  isEmpty,
  isNull,
  like,
  not,
  objectHas,
  scaled,
  unclaimed,
} from './removal-conditions.ts';

const WORKLOADS = [
  'Deployment.apps',
  'StatefulSet.apps',
  'DaemonSet.apps',
  'ReplicaSet.apps',
  'ReplicationController',
  'Job.batch',
];
const SERVICE_ACCOUNT_MOUNT = has({
  name: /^kube-api-access-/,
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
});
const SELECTED_BY_SERVER = not(objectHas(['spec', 'manualSelector'], true));

/**
 * What servers and controllers write, and only that: everything else could be a person's and stays, in every kind.
 * Defaults of the API server (strategy, dnsPolicy, ...) stay too: a person could have written them, and applying them again
 * changes nothing.
 */
export const REMOVAL_RULES: readonly RemovalRule[] = [
  // -- metadata of every kind
  { remove: 'metadata.uid' },
  { remove: 'metadata.resourceVersion' },
  { remove: 'metadata.generation' },
  { remove: 'metadata.creationTimestamp' },
  { remove: 'metadata.deletionTimestamp' },
  { remove: 'metadata.deletionGracePeriodSeconds' },
  { remove: 'metadata.managedFields' },
  { remove: 'metadata.selfLink' }, // older servers
  { remove: 'metadata.generateName' }, // the object has its real name; with both, the name wins
  { remove: 'metadata.ownerReferences' }, // bound to a uid: elsewhere the garbage collector would delete the object

  // -- finalizers: a person's own stay, the servers' own would only block a deletion elsewhere
  { remove: 'metadata.finalizers[]', when: is('foregroundDeletion', 'orphan') }, // the deletion's propagation policy
  { remove: 'metadata.finalizers[]', when: like(/^kubernetes\.io\/(pv|pvc|vac)-protection$/) },
  { remove: 'metadata.finalizers[]', when: is('kubernetes.io/pod-certificate', 'batch.kubernetes.io/job-tracking') },
  { remove: 'metadata.finalizers[]', when: like(/^external-(provisioner|attacher)\.volume\.kubernetes\.io\//) },
  { remove: 'metadata.finalizers[]', when: like(/^external-attacher\//) },
  { remove: 'metadata.finalizers[]', when: is('service.kubernetes.io/load-balancer-cleanup') },
  { remove: 'metadata.finalizers[]', when: is('networking.k8s.io/service-cidr-finalizer') },
  { remove: 'metadata.finalizers[]', when: is('customresourcecleanup.apiextensions.k8s.io') },
  { remove: 'metadata.finalizers[]', when: is('resource.kubernetes.io/delete-protection') },
  { remove: 'metadata.finalizers[]', when: controlled },

  // -- status: observed, never asked for. A custom kind without spec may use the word for data of its own: managedFields decide
  { remove: 'status', when: any(builtIn, objectHas(['spec'])) },
  { remove: 'status', when: unclaimed },
  { remove: 'spec.replicas', when: scaled }, // an autoscaler owns the number; a person's `kubectl scale` stays

  // -- annotations of every kind: copies of what was applied
  { remove: 'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]' },
  { remove: 'metadata.annotations["kapp.k14s.io/original"]' },
  { remove: 'metadata.annotations["kapp.k14s.io/original-diff*"]' },
  { remove: 'metadata.annotations["objectset.rio.cattle.io/applied"]' },
  { remove: 'metadata.annotations["banzaicloud.com/last-applied"]' },
  { remove: 'metadata.annotations["openebs.io/last-applied-configuration"]' },

  // -- annotations of every kind: notes of controllers
  { remove: 'metadata.annotations["deployment.kubernetes.io/*"]' }, // revision, revision-history, desired-replicas, max-replicas
  { remove: 'metadata.annotations["deprecated.daemonset.template.generation"]' }, // a counter
  { remove: 'metadata.annotations["control-plane.alpha.kubernetes.io/leader"]' }, // leader election
  { remove: 'metadata.annotations["endpoints.kubernetes.io/last-change-trigger-time"]' },
  { remove: 'metadata.annotations["endpoints.kubernetes.io/over-capacity"]' },
  { remove: 'metadata.annotations["autoscaling.alpha.kubernetes.io/conditions"]' }, // status of v2 seen through autoscaling/v1
  { remove: 'metadata.annotations["autoscaling.alpha.kubernetes.io/current-metrics"]' },
  { remove: 'metadata.annotations["kubernetes.io/limit-ranger"]' }, // admission's note of what it filled in
  { remove: 'metadata.annotations["kubernetes.io/psp"]' },
  { remove: 'metadata.annotations["kubernetes.io/config.*"]' }, // kubelet's mark on static pods
  { remove: 'metadata.annotations["batch.kubernetes.io/job-tracking"]' },
  { remove: 'metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]' },
  { remove: 'metadata.annotations["cni.projectcalico.org/pod*"]', when: unclaimed },
  { remove: 'metadata.annotations["cni.projectcalico.org/containerID"]' },
  { remove: 'metadata.annotations["k8s.v1.cni.cncf.io/network*-status"]' },
  { remove: 'metadata.annotations["field.cattle.io/publicEndpoints"]' },
  { remove: 'metadata.annotations["cloud.google.com/neg-status"]' },
  { remove: 'metadata.annotations["openshift.io/sa.scc.*"]', when: unclaimed },

  // -- null timestamps that older servers print in embedded templates
  { remove: 'template.metadata.creationTimestamp', when: isNull },
  { remove: 'spec.template.metadata.creationTimestamp', when: isNull },
  { remove: 'spec.jobTemplate.metadata.creationTimestamp', when: isNull },
  { remove: 'spec.jobTemplate.spec.template.metadata.creationTimestamp', when: isNull },
  { remove: 'spec.volumeClaimTemplates[].metadata.creationTimestamp', when: isNull },
  { kinds: ['StatefulSet.apps'], remove: 'spec.volumeClaimTemplates[].status' }, // the server's default, `phase: Pending`

  // -- the deprecated twin that the server fills in beside every serviceAccountName
  { kinds: ['Pod'], remove: 'spec.serviceAccount' },
  { kinds: ['PodTemplate'], remove: 'template.spec.serviceAccount' },
  { kinds: WORKLOADS, remove: 'spec.template.spec.serviceAccount' },
  { kinds: ['CronJob.batch'], remove: 'spec.jobTemplate.spec.template.spec.serviceAccount' },

  // -- Namespace
  { kinds: ['Namespace'], remove: 'metadata.labels["kubernetes.io/metadata.name"]' },
  { kinds: ['Namespace'], remove: 'spec.finalizers[]', when: is('kubernetes') },
  { kinds: ['Namespace'], remove: 'spec', when: isEmpty },

  // -- Service: allocated unless a person chose; `None` is no address but the choice of a headless Service
  { kinds: ['Service'], remove: 'spec.clusterIP', when: all(unclaimed, not(is('None'))) },
  {
    kinds: ['Service'],
    remove: 'spec.clusterIPs',
    when: all(unclaimed, not(objectHas(['spec', 'clusterIP'], 'None'))),
  },
  { kinds: ['Service'], remove: 'spec.ipFamilies', when: unclaimed },
  { kinds: ['Service'], remove: 'spec.ipFamilyPolicy', when: unclaimed },
  { kinds: ['Service'], remove: 'spec.ports[].nodePort', when: unclaimed },
  { kinds: ['Service'], remove: 'spec.healthCheckNodePort', when: unclaimed },

  // -- storage: binding and provisioning are the cluster's, a chosen volume is a person's
  {
    kinds: ['PersistentVolumeClaim'],
    remove: 'spec.volumeName',
    when: any(unclaimed, objectHas(['metadata', 'annotations', 'pv.kubernetes.io/bound-by-controller'])),
  },
  { kinds: ['PersistentVolumeClaim'], remove: 'spec.storageClassName', when: unclaimed }, // the default class, from admission
  { kinds: ['PersistentVolume'], remove: 'spec.claimRef.uid' },
  { kinds: ['PersistentVolume'], remove: 'spec.claimRef.resourceVersion' },
  {
    kinds: ['PersistentVolume'],
    remove: 'spec.claimRef', // the server owns it after binding in any case; this annotation says who chose
    when: objectHas(['metadata', 'annotations', 'pv.kubernetes.io/bound-by-controller']),
  },
  { remove: 'metadata.annotations["pv.kubernetes.io/bind-completed"]' },
  { remove: 'metadata.annotations["pv.kubernetes.io/bound-by-controller"]' },
  { remove: 'metadata.annotations["pv.kubernetes.io/migrated-to"]' },
  { remove: 'metadata.annotations["pv.kubernetes.io/provisioned-by"]', when: unclaimed }, // people write it on static volumes
  { remove: 'metadata.annotations["volume.kubernetes.io/storage-provisioner"]' },
  { remove: 'metadata.annotations["volume.beta.kubernetes.io/storage-provisioner"]' },
  { remove: 'metadata.annotations["volume.kubernetes.io/selected-node"]' },
  { kinds: ['VolumeAttachment.storage.k8s.io'], remove: 'metadata.annotations["csi.alpha.kubernetes.io/node-id"]' },

  // -- accounts, tokens and roles
  { kinds: ['ServiceAccount'], remove: 'secrets[]', when: unclaimed }, // token references of the token controller
  { kinds: ['ServiceAccount'], remove: 'secrets', when: isEmpty },
  { kinds: ['Secret'], remove: 'metadata.annotations["kubernetes.io/service-account.uid"]' },
  { kinds: ['Secret'], remove: 'metadata.labels["kubernetes.io/legacy-token-last-used"]' },
  { kinds: ['Secret'], remove: 'metadata.labels["kubernetes.io/legacy-token-invalid-since"]' },
  {
    kinds: ['Secret'],
    remove: 'data["*"]', // the token controller fills in token, ca.crt and namespace
    when: all(objectHas(['type'], 'kubernetes.io/service-account-token'), unclaimed),
  },
  { kinds: ['Secret'], remove: 'data', when: isEmpty },
  {
    kinds: ['ClusterRole.rbac.authorization.k8s.io'],
    remove: 'rules', // the aggregation controller overwrites whatever stands here
    when: objectHas(['aggregationRule']),
  },
  { kinds: ['CertificateSigningRequest.certificates.k8s.io'], remove: 'spec.username' }, // who asked: set by the server
  { kinds: ['CertificateSigningRequest.certificates.k8s.io'], remove: 'spec.uid' },
  { kinds: ['CertificateSigningRequest.certificates.k8s.io'], remove: 'spec.groups' },
  { kinds: ['CertificateSigningRequest.certificates.k8s.io'], remove: 'spec.extra' },

  // -- certificates that a controller injects; one that a person pasted stays
  {
    kinds: [
      'ValidatingWebhookConfiguration.admissionregistration.k8s.io',
      'MutatingWebhookConfiguration.admissionregistration.k8s.io',
    ],
    remove: 'webhooks[].clientConfig.caBundle',
    when: unclaimed,
  },
  { kinds: ['APIService.apiregistration.k8s.io'], remove: 'spec.caBundle', when: unclaimed },
  {
    kinds: ['CustomResourceDefinition.apiextensions.k8s.io'],
    remove: 'spec.conversion.webhook.clientConfig.caBundle',
    when: unclaimed,
  },

  // -- Job: without manualSelector the server makes the selector and these labels
  { kinds: ['Job.batch'], remove: 'spec.selector', when: SELECTED_BY_SERVER },
  ...['metadata', 'spec.template.metadata'].flatMap((metadata) =>
    ['controller-uid', 'job-name', 'batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name'].map(
      (label) => ({
        kinds: ['Job.batch'],
        remove: `${metadata}.labels["${label}"]`,
        when: SELECTED_BY_SERVER,
      }),
    ),
  ),

  // -- Pod: scheduling and admission
  { kinds: ['Pod'], remove: 'spec.nodeName', when: unclaimed }, // bound by the scheduler
  { kinds: ['Pod'], remove: 'spec.serviceAccountName', when: unclaimed },
  { kinds: ['Pod'], remove: 'spec.imagePullSecrets', when: unclaimed }, // copied from the ServiceAccount
  { kinds: ['Pod'], remove: 'spec.priority', when: unclaimed },
  { kinds: ['Pod'], remove: 'spec.priorityClassName', when: unclaimed },
  { kinds: ['Pod'], remove: 'spec.preemptionPolicy', when: unclaimed },
  { kinds: ['Pod'], remove: 'spec.overhead', when: unclaimed }, // from the RuntimeClass
  { kinds: ['Pod'], remove: 'spec.ephemeralContainers' }, // only through their subresource: a Pod can't be created with them
  {
    kinds: ['Pod'],
    remove: 'spec.tolerations[]', // admission appends these two to every Pod
    when: has(
      {
        key: /^node\.kubernetes\.io\/(not-ready|unreachable)$/,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      },
      true,
    ),
  },
  { kinds: ['Pod'], remove: 'spec.containers[].volumeMounts[]', when: SERVICE_ACCOUNT_MOUNT },
  { kinds: ['Pod'], remove: 'spec.initContainers[].volumeMounts[]', when: SERVICE_ACCOUNT_MOUNT },
  { kinds: ['Pod'], remove: 'spec.volumes[]', when: has({ name: /^kube-api-access-/ }) },
  { kinds: ['Pod'], remove: 'metadata.labels["topology.kubernetes.io/*"]', when: unclaimed }, // copied from the node
  ...[
    'pod-template-hash',
    'pod-template-generation',
    'controller-revision-hash',
    'statefulset.kubernetes.io/pod-name',
    'apps.kubernetes.io/pod-index',
    'batch.kubernetes.io/job-completion-index',
  ].map((label) => ({ kinds: ['Pod'], remove: `metadata.labels["${label}"]` })), // stamped by the Pod's controller

  // -- Node: the kubelet and the cloud describe the machine; a person's labels and taints stay
  { kinds: ['Node'], remove: 'metadata.labels["*"]', when: controlled },
  { kinds: ['Node'], remove: 'metadata.annotations["*"]', when: controlled },
  { kinds: ['Node'], remove: 'spec.podCIDR', when: unclaimed },
  { kinds: ['Node'], remove: 'spec.podCIDRs', when: unclaimed },
  { kinds: ['Node'], remove: 'spec.providerID', when: unclaimed },
  { kinds: ['Node'], remove: 'spec.taints[]', when: has({ key: /^node\.kubernetes\.io\// }) }, // conditions as taints

  // -- references to objects by identity: the name says it, the uid is another one elsewhere
  { kinds: ['Endpoints'], remove: 'subsets[].addresses[].targetRef.uid' },
  { kinds: ['Endpoints'], remove: 'subsets[].addresses[].targetRef.resourceVersion' },
  { kinds: ['Endpoints'], remove: 'subsets[].notReadyAddresses[].targetRef.uid' },
  { kinds: ['Endpoints'], remove: 'subsets[].notReadyAddresses[].targetRef.resourceVersion' },
  { kinds: ['EndpointSlice.discovery.k8s.io'], remove: 'endpoints[].targetRef.uid' },
  { kinds: ['EndpointSlice.discovery.k8s.io'], remove: 'endpoints[].targetRef.resourceVersion' },
];
