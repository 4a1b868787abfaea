import { repositoryKeyText } from '#domain';
import type { RepositoryKey } from '#domain';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { compileRule, meaningOfRule } from './compile-rule.ts';
import type { CompiledRule, Meaning } from './compile-rule.ts';
import { matchSelector } from './label-selector.ts';
import { namespaceOf } from './match-facts.ts';
import type { MatchFacts } from './match-facts.ts';
import { matchPreparedFacts, prepareFacts } from './match-rule.ts';
import type { WatchRule } from './parse-watch-rule.ts';
import type { SkipReason } from './skip-reason.ts';

/** Token of the operator's own namespace, in which nothing is ever captured. */
export const OWN_NAMESPACE = Symbol('OWN_NAMESPACE');

/** Kubelets renew a Lease each 10 s there, and nobody keeps anything else in it. */
const HEARTBEAT_NAMESPACE = 'kube-node-lease';

/** What all rules together say about one change. */
export interface RuleMatch {
  /** Repositories that at least one rule sends the change to, each once. */
  wantedBy: RepositoryKey[];
  /** A rule for a further repository depends on namespace labels that are not known yet: match again with them. */
  undecided: boolean;
  /** Rules that select the type but not this change. */
  skips: { rule: string; reason: SkipReason }[];
}

type Labels = Readonly<Record<string, string>>;

interface Candidate {
  rule: CompiledRule;
  meaning: Meaning;
  repositoryText: string;
}

/** Holds the rules that are in force and matches changes against them. No I/O: whoever watches WatchRules calls `setRules`. */
@Injectable()
export class RulesService {
  private readonly neverCaptured: ReadonlySet<string>;
  private current: readonly CompiledRule[] = [];
  /** By `group/kind`; filled when a type is first seen, so no larger than the number of types in the cluster. */
  private candidates = new Map<string, Candidate[]>();

  constructor(@Optional() @Inject(OWN_NAMESPACE) ownNamespace?: string) {
    this.neverCaptured = new Set([HEARTBEAT_NAMESPACE, ...(ownNamespace === undefined ? [] : [ownNamespace])]);
  }

  /** Replaces all rules at once. */
  setRules(rules: readonly WatchRule[]): void {
    this.current = rules.map(compileRule);
    this.candidates = new Map();
  }

  /** The rules in force, for `selectResources`. */
  get rules(): readonly CompiledRule[] {
    return this.current;
  }

  /** The repositories whose rules select a namespace with one of these sets of labels and not with the other. */
  dividedBy(before: Labels, after: Labels): RepositoryKey[] {
    const divided = this.current.filter(
      ({ namespaceSelector: selector }) =>
        selector !== undefined && matchSelector(selector, before) !== matchSelector(selector, after),
    );
    return [...new Map(divided.map(({ repository }) => [repositoryKeyText(repository), repository])).values()];
  }

  match(facts: MatchFacts): RuleMatch {
    const namespace = namespaceOf(facts);
    const candidates = this.candidatesFor(facts.type);
    if (namespace !== undefined && this.neverCaptured.has(namespace)) {
      const skips = candidates.map(({ rule }) => ({ rule: rule.text, reason: 'never-captured-namespace' as const }));
      return { wantedBy: [], undecided: false, skips };
    }
    const prepared = prepareFacts(facts);
    const wanted = new Map<string, RepositoryKey>();
    const undecided = new Set<string>();
    const skips: RuleMatch['skips'] = [];
    for (const { rule, meaning, repositoryText } of candidates) {
      const result = matchPreparedFacts(rule, meaning, prepared);
      if ('wanted' in result) wanted.set(repositoryText, rule.repository);
      else if ('undecided' in result) undecided.add(repositoryText);
      else skips.push({ rule: rule.text, reason: result.skipped });
    }
    return { wantedBy: [...wanted.values()], undecided: [...undecided].some((text) => !wanted.has(text)), skips };
  }

  private candidatesFor(type: MatchFacts['type']): Candidate[] {
    const key = `${type.group}/${type.kind}`;
    const known = this.candidates.get(key);
    if (known) return known;
    const found = this.current.flatMap((rule): Candidate[] => {
      const meaning = meaningOfRule(rule, type);
      return meaning ? [{ rule, meaning, repositoryText: repositoryKeyText(rule.repository) }] : [];
    });
    this.candidates.set(key, found);
    return found;
  }
}
