import { apiVersionOf, OPERATIONS } from '#domain';
import type { Operation, ResourceType } from '#domain';
import { meaningOfPattern } from './compile-rule.ts';
import type { CompiledRule, ResourcePattern } from './compile-rule.ts';
import { isNoiseKind } from './default-noise.ts';

/** A resource in one version as discovery lists it. */
export interface ServedResource extends ResourceType {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`. */
  verbs: readonly string[];
  /** Names after the slash: `scale`, `status`. */
  subresources: readonly string[];
  /** `version` is the one that its group prefers. */
  preferred: boolean;
}

/** A resource type that at least one rule selects, in the one version to register and watch. */
export interface SelectedResource {
  type: ResourceType;
  /** What some rule wants and the type supports, in the order of OPERATIONS; never empty. */
  operations: Operation[];
  /** Its replicas can be written through `<resource>/scale`, and some rule wants updates. */
  withScale: boolean;
  /** False for types that the API server never sends to webhooks: resync alone sees their changes. */
  admitted: boolean;
}

/** Admission's own configuration is exempt from webhooks, so that a broken one can be repaired (apiserver, predicates/rules). */
const EXEMPT_GROUP = 'admissionregistration.k8s.io';
const EXEMPT_KINDS: ReadonlySet<string> = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

const VERBS_OF: Readonly<Record<Operation, readonly string[]>> = {
  CREATE: ['create'],
  UPDATE: ['update', 'patch'],
  DELETE: ['delete', 'deletecollection'],
};

/**
 * Which resource types the rules use, in the order of `types`. A resource that is served in several versions appears
 * once: in the version that the rules name if they agree on one that is served, else the group's preferred, else the
 * first listed. Types that can't be read and listed, or neither created, updated nor deleted, are left out.
 */
export function selectResources(rules: readonly CompiledRule[], types: readonly ServedResource[]): SelectedResource[] {
  const versions = Map.groupBy(types, (type) => `${type.group}/${type.resource}`);
  return [...versions.values()].flatMap((served) => {
    const selected = selectResource(rules, served.filter(isCapturable));
    return selected ? [selected] : [];
  });
}

function selectResource(rules: readonly CompiledRule[], served: ServedResource[]): SelectedResource | undefined {
  const [first] = served;
  if (!first) return undefined;
  const using = rules.filter((rule) => selects(rule, first));
  const chosen = chooseVersion(using, served, first);
  const operations = OPERATIONS.filter(
    (operation) => supports(chosen, operation) && using.some((rule) => rule.operations.has(operation)),
  );
  if (operations.length === 0) return undefined;
  const { group, version, kind, resource, namespaced } = chosen;
  return {
    type: { group, version, kind, resource, namespaced },
    operations,
    withScale: chosen.subresources.includes('scale') && operations.includes('UPDATE'),
    admitted: !(group === EXEMPT_GROUP && EXEMPT_KINDS.has(kind)),
  };
}

function selects(rule: CompiledRule, type: ServedResource): boolean {
  const selectsScope = rule.namespaceSelector === undefined || type.namespaced || isNamespaceType(type);
  return selectsScope && rule.patterns.some((pattern) => selectsType(pattern, type));
}

function selectsType(pattern: ResourcePattern, type: ServedResource): boolean {
  const meaning = meaningOfPattern(pattern, type);
  return meaning === 'named' || (meaning === 'wildcard' && !isNoiseKind(type));
}

function chooseVersion(using: CompiledRule[], served: ServedResource[], first: ServedResource): ServedResource {
  const named = new Set(
    using
      .flatMap((rule) => rule.patterns)
      .filter((pattern) => selectsType(pattern, first))
      .map((pattern) => pattern.version),
  );
  const agreed = served.filter((type) => named.has(type.version));
  if (agreed.length === 1 && agreed[0]) return agreed[0];
  return served.find((type) => type.preferred) ?? first;
}

/** The entries of a rule, as `apiVersion kind`, that select no type which the cluster serves and which can be captured. */
export function findUnmatched(rule: CompiledRule, types: readonly ServedResource[]): string[] {
  const capturable = types.filter(isCapturable);
  return rule.patterns
    .filter((pattern) => !capturable.some((type) => selects({ ...rule, patterns: [pattern] }, type)))
    .map((pattern) => pattern.text);
}

/** The form of `status.matchedResources`: `v1/configmaps`, `apps/v1/deployments`. */
export function matchedResourceText(type: ResourceType): string {
  return `${apiVersionOf(type)}/${type.resource}`;
}

function isCapturable(type: ServedResource): boolean {
  const readable = type.verbs.includes('get') && type.verbs.includes('list');
  return readable && OPERATIONS.some((operation) => supports(type, operation));
}

function supports(type: ServedResource, operation: Operation): boolean {
  return VERBS_OF[operation].some((verb) => type.verbs.includes(verb));
}

function isNamespaceType(type: ResourceType): boolean {
  return type.group === '' && type.kind === 'Namespace';
}
