import { DEFAULT_AUTHOR_EMAIL_DOMAIN, DEFAULT_BRANCH, DEFAULT_COMMITTER } from '#domain';
import { Type } from 'class-transformer';
import { IsBoolean, IsObject, IsOptional, ValidateNested } from 'class-validator';
import { CheckText } from './spec-decorators.ts';
import {
  BRANCH_RULES,
  COMMITTER_NAME_RULES,
  DOMAIN_RULES,
  EMAIL_RULES,
  PATH_RULES,
  URL_RULES,
  objectNameRules,
} from './text-rules.ts';

/** `spec.commit.committer`. */
export class CommitterSpec {
  @CheckText(COMMITTER_NAME_RULES)
  name: string = DEFAULT_COMMITTER.name;

  @CheckText(EMAIL_RULES)
  email: string = DEFAULT_COMMITTER.email;
}

/** `spec.commit`. */
export class CommitSpec {
  @Type(() => CommitterSpec)
  @IsObject({ message: 'must hold name and email' })
  @ValidateNested()
  committer: CommitterSpec = new CommitterSpec();

  @CheckText(DOMAIN_RULES)
  authorEmailDomain: string = DEFAULT_AUTHOR_EMAIL_DOMAIN;
}

/** `spec.secretRef`. */
export class SecretRefSpec {
  @CheckText(objectNameRules('Secret'))
  name!: string;
}

/** A GitRepoConfig's `spec` with its defaults applied. The fields' meaning is described in the resource's schema. */
export class GitRepoConfigSpec {
  @CheckText(URL_RULES)
  url!: string;

  @CheckText(BRANCH_RULES)
  branch: string = DEFAULT_BRANCH;

  @Type(() => SecretRefSpec)
  @IsOptional()
  @IsObject({ message: 'must hold the name of a Secret' })
  @ValidateNested()
  secretRef?: SecretRefSpec;

  @CheckText(PATH_RULES)
  path: string = '';

  @IsBoolean({ message: 'must be true or false' })
  suspend: boolean = false;

  @IsBoolean({ message: 'must be true or false' })
  prune: boolean = false;

  @Type(() => CommitSpec)
  @IsObject({ message: 'must hold committer and authorEmailDomain' })
  @ValidateNested()
  commit: CommitSpec = new CommitSpec();
}
