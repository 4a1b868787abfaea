import type { ProvenState, StateDigest, Target } from '#domain';
import { compareVersions } from './proof.ts';

/** The digests of a state of which only the version is known: a watch of metadata saw it, or no file can hold it. */
export const UNSEEN: StateDigest = { content: '', fingerprint: '' };

/** One version and every form in which it was proven: conversion and defaults can show one version in two forms. */
export interface ProvenVersion {
  version: string;
  forms: ProvenState[];
  dying: boolean;
}

/** Proven states as a chain of versions, oldest first. */
export function groupVersions(states: ProvenState[]): ProvenVersion[] {
  const byVersion = new Map<string, ProvenVersion>();
  for (const state of states) {
    const known = byVersion.get(state.version);
    if (known === undefined) {
      byVersion.set(state.version, { version: state.version, forms: [state], dying: state.dying });
    } else {
      known.forms.push(state);
      known.dying ||= state.dying;
    }
  }
  return [...byVersion.values()].sort((a, b) => compareVersions(a.version, b.version));
}

/** `foretold`: the same content by an attempt whose fingerprint can't be known. */
export type Match = 'exact' | 'foretold' | 'fingerprint' | 'content';

/** How a version agrees with what an attempt asked for, or nothing where it doesn't. */
export function matchForm(target: Target, version: ProvenVersion): Match | undefined {
  const sameContent = version.forms.some(({ content }) => content === target.content || content === target.alternative);
  if (target.fingerprint === '') return sameContent ? 'foretold' : undefined;
  const sameFingerprint = version.forms.some((form) => form.fingerprint === target.fingerprint);
  if (sameContent && sameFingerprint) return 'exact';
  if (sameFingerprint) return 'fingerprint';
  return sameContent ? 'content' : undefined;
}

/** Whether a version is already what an attempt asked for. */
export function isFulfilled({ content, fingerprint }: StateDigest, version: ProvenVersion): boolean {
  return ['exact', 'foretold'].includes(matchForm({ content, fingerprint }, version) ?? '');
}

/** Whether two versions hold the same sanitized content. */
export function sameContent(a: ProvenVersion, b: ProvenVersion): boolean {
  return a.forms.some((form) => b.forms.some((other) => other.content === form.content));
}

/** Whether two versions can't be told apart: only status was written between them. */
export function sameForm(a: ProvenVersion, b: ProvenVersion): boolean {
  return a.forms.some((form) =>
    b.forms.some((other) => other.content === form.content && other.fingerprint === form.fingerprint),
  );
}
