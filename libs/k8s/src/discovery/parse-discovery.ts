import type { DiscoveredType, DiscoveryResult } from './discovered-type.ts';

/** `APIGroupDiscoveryList` of apidiscovery.k8s.io, as far as we read it. */
export interface AggregatedDiscovery {
  kind?: string;
  items?: {
    metadata?: { name?: string };
    versions?: {
      version: string;
      freshness?: string;
      resources?: {
        resource: string;
        responseKind?: { kind?: string };
        scope: string;
        verbs?: string[];
        subresources?: { subresource: string }[];
      }[];
    }[];
  }[];
}

/** `APIResourceList`: subresources are entries of their own, named `pods/status`. */
export interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs?: string[] }[];
}

type UnrankedType = Omit<DiscoveredType, 'preferred'>;

/** The types of aggregated discovery documents, core group's first. */
export function parseAggregatedDiscovery(documents: AggregatedDiscovery[]): DiscoveryResult {
  const types: UnrankedType[] = [];
  const failedGroups: string[] = [];
  for (const group of documents.flatMap((document) => document.items ?? [])) {
    const name = group.metadata?.name ?? '';
    for (const version of group.versions ?? []) {
      if (version.freshness === 'Stale') failedGroups.push(groupVersion(name, version.version));
      for (const entry of version.resources ?? []) {
        types.push({
          group: name,
          version: version.version,
          kind: entry.responseKind?.kind ?? '',
          resource: entry.resource,
          namespaced: entry.scope === 'Namespaced',
          verbs: entry.verbs ?? [],
          subresources: (entry.subresources ?? []).map((sub) => sub.subresource),
        });
      }
    }
  }
  return { types: rankVersions(types), failedGroups };
}

/** The types of one group version of classic discovery. */
export function parseResourceList(group: string, version: string, list: ResourceList): UnrankedType[] {
  const entries = list.resources ?? [];
  return entries
    .filter((entry) => !entry.name.includes('/'))
    .map((entry) => ({
      group,
      version,
      kind: entry.kind,
      resource: entry.name,
      namespaced: entry.namespaced,
      verbs: entry.verbs ?? [],
      subresources: entries
        .filter((other) => other.name.startsWith(`${entry.name}/`))
        .map((other) => other.name.slice(entry.name.length + 1)),
    }));
}

/** Marks each group's resource in the first version that serves it: a resource may be missing in the group's preferred version. */
export function rankVersions(types: readonly UnrankedType[]): DiscoveredType[] {
  const seen = new Set<string>();
  return types.map((type) => {
    const key = `${type.group}/${type.resource}`;
    const preferred = !seen.has(key);
    seen.add(key);
    return { ...type, preferred };
  });
}

/** The form of `failedGroups`. */
export function groupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}
