import { defineConfig } from 'tsup';
import { packageBuild } from '../../tsup.base.js';

export default defineConfig(
  packageBuild({
    index: 'src/index.ts',
    // Files of their own, because they run in threads; found beside the bundle that starts them.
    'rollout-worker': 'src/workers/rollout-worker.ts',
    'reasoner-player': 'src/workers/reasoner-player.ts',
  }),
);
