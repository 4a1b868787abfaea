import type { KubeObject } from '#domain';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import type { ValidationError } from 'class-validator';
import { PROBLEM_SEPARATOR } from './spec-decorators.ts';

/** What both custom resources share, read from input of any shape. */
export interface ParsedObject<Spec> {
  key: { namespace: string; name: string };
  uid: string;
  generation: number;
  spec: Spec;
}

/** The specs nest four levels deep; what is deeper is no spec, and copying it could exhaust the stack. */
const MAX_DEPTH = 8;

/** Field names that reach an object's prototype. No field of a spec is called so. */
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads metadata and spec, applies the defaults of `SpecClass` and reports every mistake as `<field>: <what to do>`.
 * `verbatim` names fields of the spec that are validated as they are, without conversion. Never throws.
 */
export function parseSpec<Spec extends object>(
  SpecClass: new () => Spec,
  object: KubeObject,
  verbatim: readonly (keyof Spec & string)[] = [],
): { parsed: ParsedObject<Spec> } | { problems: string[] } {
  const input: unknown = object;
  const metadata = fieldOf(input, 'metadata');
  const name = fieldOf(metadata, 'name');
  const namespace = fieldOf(metadata, 'namespace');
  const uid = fieldOf(metadata, 'uid');
  const generation = fieldOf(metadata, 'generation');
  const problems: string[] = [];
  if (!isFilledText(name)) problems.push('metadata.name: must be set');
  if (!isFilledText(namespace)) problems.push('metadata.namespace: must be set');

  const rawSpec = fieldOf(input, 'spec');
  if (!isMapping(rawSpec)) return { problems: [...problems, 'spec: must be set'] };
  const spec = plainToInstance(SpecClass, copyPlain(omit(rawSpec, verbatim), MAX_DEPTH));
  for (const field of verbatim) {
    const value = fieldOf(rawSpec, field);
    if (value !== undefined && value !== null) Object.assign(spec, { [field]: value });
  }
  problems.push(...validateSync(spec).flatMap((error) => describe(error, 'spec')));

  if (!isFilledText(name) || !isFilledText(namespace) || problems.length > 0) return { problems };
  return {
    parsed: {
      key: { namespace, name },
      uid: typeof uid === 'string' ? uid : '',
      generation: typeof generation === 'number' ? generation : 0,
      spec,
    },
  };
}

function describe(error: ValidationError, parent: string): string[] {
  const path = /^\d+$/.test(error.property) ? `${parent}[${error.property}]` : `${parent}.${error.property}`;
  // The other validators of the property say the same better.
  const { nestedValidation: _, ...constraints } = error.constraints ?? {};
  const own = Object.values(constraints).flatMap((text) => text.split(PROBLEM_SEPARATOR));
  // A problem may say where inside the property it is: `.matchLabels: …`, `[0]: …`.
  const texts = own.map((text) => (/^[.[]/.test(text) ? `${path}${text}` : `${path}: ${text}`));
  return [...texts, ...(error.children ?? []).flatMap((child) => describe(child, path))];
}

/** A copy without prototype keys, too deep levels, and nulls: the API server, too, treats a null field as absent. */
function copyPlain(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) return depth === 0 ? null : value.map((item) => copyPlain(item, depth - 1));
  if (!isMapping(value)) return value;
  if (depth === 0) return null;
  const entries = Object.entries(value).filter(
    ([key, entry]) => !PROTOTYPE_KEYS.has(key) && entry !== null && entry !== undefined,
  );
  return Object.fromEntries(entries.map(([key, entry]) => [key, copyPlain(entry, depth - 1)]));
}

function omit(value: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

function fieldOf(value: unknown, field: string): unknown {
  return isMapping(value) && Object.hasOwn(value, field) ? value[field] : undefined;
}

function isFilledText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
