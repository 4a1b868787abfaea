import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '#domain';
import { parse } from 'yaml';
import { parseGitRepoConfig } from './parse-git-repo-config.ts';
import { parseWatchRule } from './parse-watch-rule.ts';

const samples = join(import.meta.dirname, '../../../test/fixtures/crds');

/** Refused by the schema alone: a rule that says a thing twice still means the same. */
const ONLY_IN_SCHEMA = ['rule-operations-twice.yaml'];

function problemsOf(folder: string, file: string): string[] {
  const sample = parse(readFileSync(join(samples, folder, file), 'utf8')) as KubeObject;
  const object = { ...sample, metadata: { ...sample.metadata, namespace: 'default' } };
  const result = object.kind === 'WatchRule' ? parseWatchRule(object) : parseGitRepoConfig(object);
  return 'problems' in result ? result.problems : [];
}

describe('the samples that the schemas are tried with', () => {
  it.each(readdirSync(join(samples, 'valid')))('%s is accepted by the parsers, too', (file) => {
    expect(problemsOf('valid', file)).toEqual([]);
  });

  it.each(readdirSync(join(samples, 'invalid')).filter((file) => !ONLY_IN_SCHEMA.includes(file)))(
    '%s is refused by the parsers, too',
    (file) => {
      expect(problemsOf('invalid', file)).not.toEqual([]);
    },
  );
});
