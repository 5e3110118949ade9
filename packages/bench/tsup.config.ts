import { defineConfig } from 'tsup';
import { packageBuild } from '../../tsup.base.js';

export default defineConfig(
  packageBuild({
    index: 'src/index.ts',
    // A file of its own, because it is started as a thread; found beside the bundle that starts it.
    'python-worker': 'src/sandbox/python-worker.ts',
    'cli/retriever-main': 'src/cli/retriever-main.ts',
  }),
);
