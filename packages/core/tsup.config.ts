import { defineConfig } from 'tsup';
import { packageBuild } from '../../tsup.base.js';

export default defineConfig(
  packageBuild({ index: 'src/index.ts', test: 'src/conformance/index.ts', 'cli/main': 'src/cli/main.ts' }),
);
