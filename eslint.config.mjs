// Lint rules of the whole repository: typed rules, no console in packages, no hidden clocks or dice.
import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const chanceAndTime = [
  { object: 'Math', property: 'random', message: 'Pass a seeded Random from @memgen/common.' },
  { object: 'Date', property: 'now', message: 'Pass a clock in; packages must be reproducible.' },
];

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/coverage/**',
      '**/__fixtures__/**',
      'runs/**',
      'apps/*/runs/**',
      '**/.turbo/**',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // tfjs infers the rank from an assertion; the rule asks to write type arguments that its overloads do not take.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: ['**/*.test.ts', 'packages/core/src/cli/**', 'packages/parity/**'],
    rules: { 'no-console': 'error', 'no-restricted-properties': ['error', ...chanceAndTime] },
  },
  {
    files: ['**/*.test.ts'],
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off', '@typescript-eslint/no-unsafe-member-access': 'off' },
  },
  {
    // AssemblyScript has no inference over values: type parameters select between instructions.
    files: ['packages/core/assembly/*.ts'],
    rules: { '@typescript-eslint/no-unnecessary-type-parameters': 'off' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', module: 'writable', URL: 'readonly' },
      parserOptions: { projectService: false, program: null, project: false },
    },
  },
  prettier,
);
