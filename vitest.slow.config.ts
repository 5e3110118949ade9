// The slow suite (`pnpm test:slow`): fuzzing of files, apart from the tests that run on every change.
import { defineConfig, mergeConfig } from 'vitest/config';
import ordinary from './vitest.config.js';

export default mergeConfig(
  { ...ordinary, test: { ...ordinary.test, include: [], exclude: [] } },
  defineConfig({ test: { include: ['packages/*/src/**/*.slow.test.ts'], maxConcurrency: 2 } }),
);
