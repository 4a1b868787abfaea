import type { KubeObject } from '#domain';
import type { ParsedObject } from './parse-spec.ts';
import { parseSpec } from './parse-spec.ts';
import { WatchRuleSpec } from './watch-rule-spec.ts';

/** A valid WatchRule. `uid` is `''` and `generation` 0 for an object that no API server has stored. */
export type WatchRule = ParsedObject<WatchRuleSpec>;

/** Reads a WatchRule, or lists every mistake in it as `<field>: <what to do>`. Never throws, whatever the input. */
export function parseWatchRule(object: KubeObject): { rule: WatchRule } | { problems: string[] } {
  const result = parseSpec(WatchRuleSpec, object, ['namespaceSelector', 'labelSelector', 'excludeLabels']);
  return 'parsed' in result ? { rule: result.parsed } : result;
}
