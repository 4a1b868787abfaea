import { Injectable } from '@nestjs/common';
import type { ResourceType } from '#domain';

/** The resource types that rules select, each in its registered version. Replaced as a whole when rules change. */
@Injectable()
export class SelectedTypes {
  private byResource = new Map<string, ResourceType>();

  replace(types: ResourceType[]): void {
    this.byResource = new Map(types.map((type) => [`${type.group}/${type.resource}`, type]));
  }

  find(group: string, resource: string): ResourceType | undefined {
    return this.byResource.get(`${group}/${resource}`);
  }
}
