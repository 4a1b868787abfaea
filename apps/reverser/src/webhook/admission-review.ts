import type { KubeObject, Operation } from '#domain';

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

export interface GroupVersionResource {
  group: string;
  version: string;
  resource: string;
}

/** `request` of an AdmissionReview (admission.k8s.io/v1), as far as it is used. Checked in form; everything in it is hostile. */
export interface AdmissionRequest {
  uid: string;
  /** Of the object as sent here: converted to the registered version. For `scale`: Scale. */
  kind: GroupVersionKind;
  resource: GroupVersionResource;
  subResource: string;
  name: string;
  namespace: string;
  operation: Operation | 'CONNECT';
  user: string;
  /** `options.fieldManager`; `''` where the client named none. */
  fieldManager: string;
  dryRun: boolean;
  object: KubeObject | undefined;
  oldObject: KubeObject | undefined;
}

/** What is left of a request whose body was too large to hold: who did what to which name. */
export type AdmissionIdentity = Omit<AdmissionRequest, 'object' | 'oldObject' | 'fieldManager' | 'dryRun'>;

/** What the webhook hands requests to. It never decides: every call is allowed, whatever becomes of it. */
export interface AdmissionHandler {
  /** @param registration digest of the registration by which the call came */
  handle(request: AdmissionRequest, registration: string): Promise<void>;
  /** A request whose objects could not be read. */
  handleTruncated(identity: AdmissionIdentity, registration: string): Promise<void>;
}

export const ADMISSION_HANDLER = Symbol('ADMISSION_HANDLER');

/** The answer to every call. `warnings` reach the client: only the operator's own probes get one. */
export function allow(uid: string, warnings: string[] = []): object {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, ...(warnings.length > 0 && { warnings }) },
  };
}
