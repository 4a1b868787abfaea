import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { KubeObject } from '#domain';
import { renderManifest } from './render-manifest.ts';

const configMap = (data: Record<string, unknown>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c' },
  data,
});
const render = (object: unknown): string => renderManifest({ object: object as KubeObject, comment: [] });
const dataLines = (value: unknown): string => render(configMap({ key: value })).split('\ndata:\n')[1] ?? '';

const YAML_WORDS = [
  ...['yes', 'Yes', 'NO', 'on', 'off', 'y', 'N', 'true', 'False', 'null', '~', '', '=', '<<', '.inf', '-.INF', '.nan'],
  ...[
    '0123',
    '0o17',
    '0x1f',
    '0b11',
    '1e3',
    '1E+3',
    '1.',
    '.5',
    '-1',
    '+1',
    '1_000',
    '1,000',
    '12:30:00',
    '190:20:30.15',
  ],
  ...[
    '2026-01-01',
    '2026-01-31T18:30:00Z',
    '2001-12-14 21:59:43.10 -5',
    ' lead',
    'trail ',
    'a: b',
    'a:',
    ':',
    'a #b',
    '#a',
  ],
  ...[
    '@a',
    '`a`',
    '- a',
    '-',
    '---',
    '--- a',
    '...',
    '? a',
    '?',
    '!a',
    '&a',
    '*a',
    '|',
    '>',
    '%a',
    '{a',
    '[a',
    ',a',
    '"',
    "'",
  ],
  ...[
    'a\tb',
    '\ta',
    'a\r\n',
    'a\n',
    '\na',
    'a\n\n',
    '\n',
    ' \n',
    ' a\n b',
    '\ta\nb',
    'a \nb',
    'a\n ',
    '\u2028',
    '\u0085',
    '\ufeff',
  ],
  ...[
    '\0',
    '\x7f',
    '\u00a0',
    'a\u2028\nb',
    '---\na\n',
    '...\nb',
    '# c\n',
    '\n  a\n',
    '\n\ta',
    'x'.repeat(2000),
    '__proto__',
    '🚀',
  ],
];
const text = fc.oneof(
  fc.constantFrom(...YAML_WORDS),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...' \n\t\r:#-?|>\'"\\%@&*!,[]{}`~=<.0179exo_+aZé\u0085\u2028\ufeff🚀') }),
  fc.array(fc.constantFrom(...YAML_WORDS), { maxLength: 4 }).map((words) => words.join('\n')),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.array(fc.tuple(text, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
})).object;

describe('renderManifest', () => {
  it.each(['1.1', '1.2'] as const)(
    'is read as the same object by a reader of YAML %s, for any JSON object',
    (version) => {
      fc.assert(
        fc.property(json, (object) => {
          expect(parse(render(object), { version, merge: true, uniqueKeys: false })).toEqual(object);
        }),
        { numRuns: 2000 },
      );
    },
  );

  it('writes large integers with all their digits, so that readers of both versions get them back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (number) => {
        const yaml = render(configMap({ number, list: [number] }));
        for (const version of ['1.1', '1.2'] as const) {
          const { data } = parse(yaml, { version, intAsBigInt: true }) as { data: unknown };
          expect(data).toEqual({ number, list: [number] });
        }
      }),
    );
  });

  it.each(YAML_WORDS)('keeps %j a string, as key and as value, for readers of both versions', (word) => {
    const object = configMap({ [word]: word, list: [word] });
    const yaml = render(object);
    expect(parse(yaml, { version: '1.1' })).toEqual(object);
    expect(parse(yaml, { version: '1.2' })).toEqual(object);
  });

  it('gives the same bytes for the same object, whatever the order of its keys', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, entry]) => [key, shuffled(entry)]),
      );
    };
    fc.assert(fc.property(json, (object) => expect(render(shuffled(object))).toBe(render(object))));
  });

  it('puts what a reader looks for first, sorts the rest, and keeps the order of lists', () => {
    const yaml = render({
      spec: { b: 1, a: [3, { z: 1, b: 2 }] },
      data: {},
      metadata: {
        finalizers: ['f'],
        annotations: { a: 'b' },
        labels: { l10: 'x', l9: 'z' },
        namespace: 'ns',
        name: 'x',
      },
      kind: 'Thing',
      apiVersion: 'v1',
    });
    expect(yaml).toBe(
      [
        ...[
          'apiVersion: v1',
          'kind: Thing',
          'metadata:',
          '  name: x',
          '  namespace: ns',
          '  labels:',
          '    l9: z',
          '    l10: x',
        ],
        ...['  annotations:', '    a: b', '  finalizers:', '  - f', 'data: {}'],
        ...['spec:', '  a:', '  - 3', '  - b: 2', '    z: 1', '  b: 1', ''],
      ].join('\n'),
    );
  });

  it('writes several lines as a literal block, with tabs and indentation inside', () => {
    expect(dataLines('#!/bin/sh\nif true; then\n\techo  é\nfi\n')).toBe(
      '  key: |\n    #!/bin/sh\n    if true; then\n    \techo  é\n    fi\n',
    );
    expect(dataLines('a\nb')).toBe('  key: |-\n    a\n    b\n');
  });

  it('protects with double quotes what an editor or a reader would strip', () => {
    expect(dataLines('a \nb\n')).toBe('  key: "a \\nb\\n"\n');
    expect(dataLines('a\r\nb\n')).toBe('  key: "a\\r\\nb\\n"\n');
  });

  it('never folds a long line and never makes an alias', () => {
    const line = 'word '.repeat(500) + 'end';
    const shared = { a: line };
    expect(render(configMap({ x: shared, y: shared })).split('\n')).toHaveLength(10);
  });

  it('keeps everyday values plain and unicode readable', () => {
    for (const value of [
      'nginx:1.25',
      '10Gi',
      '100m',
      '10.0.0.1',
      '--level=3',
      'https://a.example/?b=c#d',
      'héllo 世界 🚀',
    ]) {
      expect(dataLines(value)).toBe(`  key: ${value}\n`);
    }
  });

  it('stands below its comment and ends with one newline', () => {
    expect(renderManifest({ object: configMap({ a: 'b\n\n' }), comment: ['one', 'two'] })).toBe(
      '# one\n# two\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: |+\n    b\n\n',
    );
    expect(render(configMap({}))).toMatch(/[^\n]\n$/);
  });
});
