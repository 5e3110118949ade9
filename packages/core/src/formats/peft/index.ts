// Reading and writing of PEFT adapter folders.
export type { PeftLoraConfig } from './adapter-config.js';
export { mergedWeights } from './merged-weights.js';
export { readPeftAdapter, writePeftAdapter, type PeftAdapter, type PeftModule } from './peft-adapter.js';
export { findTargetModules, loraRank, loraScaling } from './target-modules.js';
