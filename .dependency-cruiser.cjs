/** The architecture, as rules: the vocabulary knows nobody, libraries know only the vocabulary, the app knows all. */
const LIBRARY = '^libs/([^/]+)/';
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'domain-knows-nobody',
      severity: 'error',
      from: { path: '^libs/domain/' },
      to: { path: '^(libs/(?!domain/)|apps/|test/|tools/)' },
    },
    {
      name: 'libraries-know-only-domain',
      severity: 'error',
      from: { path: LIBRARY, pathNot: '^libs/domain/' },
      to: { path: '^(libs|apps|test|tools)/', pathNot: ['^libs/$1/', '^libs/domain/src/index\\.ts$'] },
    },
    {
      name: 'only-the-door',
      comment: 'A library is entered through its index.ts.',
      severity: 'error',
      from: { path: '^(apps|test|tools)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: '^libs/[^/]+/src/index\\.ts$' },
    },
    {
      name: 'product-does-not-know-tests',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(test|tools)/' },
    },
    {
      name: 'unit-tests-may-use-support',
      severity: 'error',
      from: { path: '^(apps|libs)/.*\\.spec\\.ts$' },
      to: { path: '^(test|tools)/', pathNot: '^test/support/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
