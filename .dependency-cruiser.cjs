// Who may know whom. The packages form layers; an import against them fails CI.
const layers = {
  common: [],
  core: ['common'],
  'tiny-reasoner': ['common'],
  bench: ['common'],
  runs: ['common'],
  weaver: ['common', 'core'],
  trigger: ['common', 'core'],
  sft: ['common', 'core'],
  grpo: ['common', 'core', 'sft'],
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(layers).map(([name, allowed]) => ({
      name: `layers-${name}`,
      comment: `@memgen/${name} may import ${allowed.map((other) => `@memgen/${other}`).join(', ') || 'no other package'}`,
      severity: 'error',
      from: { path: `^packages/${name}/src/`, pathNot: '\\.test(-helper)?\\.ts$' },
      to: { path: '^packages/', pathNot: `^packages/(${[name, ...allowed].join('|')})/` },
    })),
    {
      name: 'packages-know-no-apps',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^apps/' },
    },
    {
      name: 'no-deep-imports',
      comment: 'other packages are imported by their public names, not by files inside them',
      severity: 'error',
      from: { path: '^packages/([^/]+)/', pathNot: '\\.test(-helper)?\\.ts$' },
      to: { path: '^packages/(?!$1/)[^/]+/src/(?!(conformance/)?index\\.ts$)' },
    },
    {
      name: 'light-packages-without-engine',
      comment: 'who installs only these should not have to install a tensor engine',
      severity: 'error',
      from: { path: '^packages/(common|bench|runs|tiny-reasoner)/src/' },
      to: { path: '@tensorflow' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(dist|node_modules)/' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['@memgen/source', 'import', 'types', 'default'],
      exportsFields: ['exports'],
    },
  },
};
