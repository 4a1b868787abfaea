import { Injectable } from '@nestjs/common';
import { KubeApi } from '../api/kube-api.ts';
import { isKubeError } from '../api/kube-error.ts';
import type { DiscoveryResult } from './discovered-type.ts';
import { groupVersion, parseAggregatedDiscovery, parseResourceList, rankVersions } from './parse-discovery.ts';
import type { AggregatedDiscovery, ResourceList } from './parse-discovery.ts';

/** Aggregated discovery (two calls for everything), and after the commas what older servers understand. */
const ACCEPT =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,' +
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
/** Classic discovery asks this many group versions at a time. */
const PARALLEL = 8;

interface ClassicRoot {
  versions?: string[];
  groups?: { name: string; versions: { version: string }[]; preferredVersion?: { version: string } }[];
}

/** What the API server serves. */
@Injectable()
export class Discovery {
  constructor(private readonly api: KubeApi) {}

  /**
   * All types, also those of groups that could only be read in part: see `failedGroups` before concluding that a type is gone.
   * @throws KubeError when the API server itself can't be read.
   */
  async listResourceTypes(signal?: AbortSignal): Promise<DiscoveryResult> {
    const [core, groups] = await Promise.all([this.root('/api', signal), this.root('/apis', signal)]);
    if (isAggregated(core) && isAggregated(groups)) return parseAggregatedDiscovery([core, groups]);
    const versions = [
      ...((core as ClassicRoot).versions ?? []).map((version) => ({ group: '', version })),
      ...((groups as ClassicRoot).groups ?? []).flatMap(preferredFirst),
    ];
    return this.classic(versions, signal);
  }

  private async root(path: string, signal: AbortSignal | undefined): Promise<AggregatedDiscovery | ClassicRoot> {
    return (await this.api.request<AggregatedDiscovery | ClassicRoot>({ method: 'GET', path, accept: ACCEPT, signal }))
      .body;
  }

  private async classic(
    versions: { group: string; version: string }[],
    signal: AbortSignal | undefined,
  ): Promise<DiscoveryResult> {
    const found: ReturnType<typeof parseResourceList>[] = [];
    const failedGroups: string[] = [];
    for (let start = 0; start < versions.length; start += PARALLEL) {
      const batch = versions.slice(start, start + PARALLEL).map(async ({ group, version }) => {
        const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
        try {
          const { body } = await this.api.request<ResourceList>({ method: 'GET', path, signal });
          return parseResourceList(group, version, body);
        } catch (error) {
          if (isKubeError(error, 'Aborted')) throw error;
          failedGroups.push(groupVersion(group, version));
          return [];
        }
      });
      found.push(...(await Promise.all(batch)));
    }
    return { types: rankVersions(found.flat()), failedGroups: failedGroups.sort() };
  }
}

function isAggregated(body: AggregatedDiscovery | ClassicRoot): body is AggregatedDiscovery {
  return 'kind' in body && body.kind === 'APIGroupDiscoveryList';
}

function preferredFirst(group: NonNullable<ClassicRoot['groups']>[number]): { group: string; version: string }[] {
  const preferred = group.preferredVersion?.version;
  const versions = group.versions.map((entry) => entry.version);
  const ordered = [
    ...versions.filter((version) => version === preferred),
    ...versions.filter((version) => version !== preferred),
  ];
  return ordered.map((version) => ({ group: group.name, version }));
}
