import { Inject, Injectable } from '@nestjs/common';
import type { GitRepoConfig } from '#rules';
import { GitRepositories, parseCredentials, parseRepositoryUrl } from '#git';
import type { GitRepository, RepositoryUrl } from '#git';
import { isKubeError, KubeApi, objectPath } from '#k8s';
import { CodedError } from '#domain';
import type { KubeObject, RepositoryKey } from '#domain';
import { SETTINGS } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { GIT_REPO_CONFIGS } from '../custom-resources.ts';
import { REASONS } from './repository-state.ts';

const SECRETS = { group: '', version: 'v1', resource: 'secrets' };

/** A repository that can be asked, and the lock under which it is written. */
export interface OpenRepository {
  repository: GitRepository;
  url: RepositoryUrl;
}

/** Opens a GitRepoConfig's remote: its URL, the credentials from its Secret, and a probe of both rights. */
@Injectable()
export class RepositoryAccess {
  constructor(
    private readonly api: KubeApi,
    private readonly repositories: GitRepositories,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** @throws GitError, or CodedError where the Secret can't be read; the remote was asked and closed again then. */
  async open(config: GitRepoConfig): Promise<OpenRepository> {
    const url = parseRepositoryUrl(config.target.url, { allowFileUrls: this.settings.allowFileUrls });
    const credentials = parseCredentials(await this.readSecret(config), url);
    const repository = this.repositories.open(config.target, credentials, url);
    try {
      await repository.probe();
      return { repository, url };
    } catch (error) {
      await repository.close();
      throw error;
    }
  }

  /** Whether this very GitRepoConfig exists now, asked of the API server. @throws KubeError */
  async isCurrent({ namespace, name }: RepositoryKey, uid: string): Promise<boolean> {
    try {
      const { metadata } = await this.api.get(objectPath(GIT_REPO_CONFIGS, namespace, name), { metadataOnly: true });
      return metadata.uid === uid;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return false;
      throw error;
    }
  }

  private async readSecret(config: GitRepoConfig): Promise<Record<string, Uint8Array> | undefined> {
    const { secretName } = config;
    const { namespace } = config.key;
    if (secretName === undefined) return undefined;
    try {
      const secret = await this.api.get(objectPath(SECRETS, namespace, secretName));
      return decodeData(secret);
    } catch (error) {
      if (isKubeError(error, 'NotFound')) {
        const message = `The Secret ${secretName} of spec.secretRef does not exist in namespace ${namespace}: create it there, or correct the name.`;
        throw new CodedError(REASONS.secretNotFound, message, { retryable: false, cause: error });
      }
      const text = error instanceof CodedError ? error.message : 'unknown error';
      const message = `The Secret ${secretName} can't be read (${text}): it is tried again.`;
      throw new CodedError(REASONS.secretUnreadable, message, { retryable: true, cause: error });
    }
  }
}

function decodeData(secret: KubeObject): Record<string, Uint8Array> {
  const data = (secret['data'] ?? {}) as Record<string, string>;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}
