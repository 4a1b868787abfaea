import { Injectable } from '@nestjs/common';
import { repositoryKeyText } from '#domain';
import type { RepositoryKey, ResourceType } from '#domain';

/** The resource types that rules select, each in its registered version. Replaced as a whole when rules change. */
@Injectable()
export class SelectedTypes {
  private byResource = new Map<string, ResourceType>();
  private byRepository = new Map<string, ResourceType[]>();

  /** @param byRepository `namespace/name` of a GitRepoConfig → the types that its rules select */
  replace(types: ResourceType[], byRepository: Map<string, ResourceType[]>): void {
    this.byResource = new Map(types.map((type) => [`${type.group}/${type.resource}`, type]));
    this.byRepository = byRepository;
  }

  find(group: string, resource: string): ResourceType | undefined {
    return this.byResource.get(`${group}/${resource}`);
  }

  of(repository: RepositoryKey): ResourceType[] {
    return this.byRepository.get(repositoryKeyText(repository)) ?? [];
  }
}
