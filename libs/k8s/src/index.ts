export { parseExactJson } from './api/exact-json.ts';
export { KubeApi } from './api/kube-api.ts';
export type {
  CallOptions,
  KubeList,
  KubeRequest,
  KubeResponse,
  ListOptions,
  WriteOptions,
} from './api/kube-request.ts';
export { KubeError, isKubeError } from './api/kube-error.ts';
export type { KubeErrorCode } from './api/kube-error.ts';
export { loadKubeConfig } from './api/load-kube-config.ts';
export { collectionPath, objectPath, refPath } from './api/object-path.ts';
export type { PathType } from './api/object-path.ts';
export { readVersions } from './api/read-versions.ts';
export { certificateAction } from './certificates/certificate-action.ts';
export type { CertificateAction } from './certificates/certificate-action.ts';
export { CertificateManager } from './certificates/certificate-manager.service.ts';
export type { CertificateWatch, ServingCertificate } from './certificates/certificate-manager.service.ts';
export { readCertificateState } from './certificates/certificate-state.ts';
export type { CertificateFiles, CertificateState } from './certificates/certificate-state.ts';
export { ensureKeySecret } from './certificates/ensure-key-secret.ts';
export { issueCa, issueServingCert } from './certificates/issue-certificates.ts';
export type { CertificatePair } from './certificates/issue-certificates.ts';
export type { DiscoveredType, DiscoveryResult } from './discovery/discovered-type.ts';
export { Discovery } from './discovery/discovery.service.ts';
export { InformerFactory } from './informer/informer-factory.service.ts';
export { KubeInformer } from './informer/kube-informer.ts';
export type { InformerOptions } from './informer/kube-informer.ts';
export type { WatchEvent } from './informer/watch-event.ts';
export { K8S_OPTIONS } from './k8s-options.ts';
export type { K8sOptions } from './k8s-options.ts';
export { K8sModule } from './k8s.module.ts';
export type { K8sAsyncOptions } from './k8s.module.ts';
export type { EventRecord } from './status/aggregate-events.ts';
export { setCondition, setReadiness } from './status/conditions.ts';
export type { Condition, Readiness } from './status/conditions.ts';
export { KubeEvents } from './status/kube-events.service.ts';
export { StatusWriter } from './status/status-writer.service.ts';
export type { ObjectStatus, StatusPatch } from './status/status-writer.service.ts';
export {
  ADMISSION_PATH,
  PROBE_MANAGER,
  PROBE_PATH,
  buildWebhookConfiguration,
} from './webhook/build-webhook-configuration.ts';
export type {
  SelectedResource,
  WebhookClient,
  WebhookConfiguration,
  WebhookSettings,
} from './webhook/build-webhook-configuration.ts';
export { WebhookRegistrar } from './webhook/webhook-registrar.service.ts';
