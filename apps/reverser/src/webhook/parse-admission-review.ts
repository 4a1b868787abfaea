import { OPERATIONS } from '#domain';
import type { KubeObject } from '#domain';
import { parseExactJson } from '#k8s';
import type {
  AdmissionIdentity,
  AdmissionRequest,
  GroupVersionKind,
  GroupVersionResource,
} from './admission-review.ts';

type Json = Record<string, unknown>;

/** Reads an AdmissionReview, large integers as BigInts; nothing where the text is not one. Never throws. */
export function parseAdmissionReview(text: string): AdmissionRequest | undefined {
  const request = asObject(parse(text)?.['request']);
  const identity = readIdentity(request);
  if (request === undefined || identity === undefined) return undefined;
  const options = asObject(request['options']);
  return {
    ...identity,
    fieldManager: asText(options?.['fieldManager']),
    dryRun: request['dryRun'] === true,
    object: asKubeObject(request['object']),
    oldObject: asKubeObject(request['oldObject']),
  };
}

/**
 * Reads the identity from the beginning of an AdmissionReview that was cut off: the API server writes `object` and
 * `oldObject` after it (field order of AdmissionRequest, k8s.io/api/admission/v1).
 */
export function parseTruncatedReview(prefix: string): AdmissionIdentity | undefined {
  const end = findObjectField(prefix);
  if (end === undefined) return undefined;
  return readIdentity(asObject(parse(`${prefix.slice(0, end)}}}`)?.['request']));
}

/** Where the first `,"object":` or `,"oldObject":` of the request begins: at depth 2, outside of strings. */
function findObjectField(text: string): number | undefined {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (inString) {
      if (character === '\\') i += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === ',' && depth === 2 && /^,"(object|oldObject)":/.test(text.slice(i, i + 14))) return i;
  }
  return undefined;
}

function readIdentity(request: Json | undefined): AdmissionIdentity | undefined {
  const kind = asObject(request?.['kind']);
  const resource = asObject(request?.['resource']);
  const uid = asText(request?.['uid']);
  const operation = [...OPERATIONS, 'CONNECT' as const].find((known) => known === request?.['operation']);
  if (request === undefined || kind === undefined || resource === undefined || uid === '' || operation === undefined) {
    return undefined;
  }
  return {
    uid,
    kind: { ...readGroupVersion(kind), kind: asText(kind['kind']) } satisfies GroupVersionKind,
    resource: { ...readGroupVersion(resource), resource: asText(resource['resource']) } satisfies GroupVersionResource,
    subResource: asText(request['subResource']),
    name: asText(request['name']),
    namespace: asText(request['namespace']),
    operation,
    user: asText(asObject(request['userInfo'])?.['username']),
  };
}

function readGroupVersion(value: Json): { group: string; version: string } {
  return { group: asText(value['group']), version: asText(value['version']) };
}

function parse(text: string): Json | undefined {
  try {
    return asObject(parseExactJson(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** What names an object and its version goes into keys and records as text; the API server writes nothing else. */
const IDENTITY = ['name', 'namespace', 'uid', 'resourceVersion'];

function asKubeObject(value: unknown): KubeObject | undefined {
  const object = asObject(value);
  const metadata = asObject(object?.['metadata']);
  const isNamed = IDENTITY.every((field) => ['string', 'undefined'].includes(typeof metadata?.[field]));
  return metadata !== undefined && isNamed ? (object as unknown as KubeObject) : undefined;
}
