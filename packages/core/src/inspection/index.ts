// Looking at models without loading them.
export type { AdapterFacts } from './adapter-facts.js';
export type { ArchitectureFacts, RopeFacts } from './architecture-facts.js';
export { memoryByBackend, type BackendMemory } from './backend-memory.js';
export { inspectModel, type InspectModelOptions } from './inspect-model.js';
export type {
  InspectedAdapter,
  InspectedCheckpoint,
  InspectedModel,
  InspectedTensors,
  Inspection,
} from './inspection.js';
export type { FileSize } from './list-files.js';
export type { ModelMemory } from './model-memory.js';
export type { Problem } from './problem.js';
export { summarizeByDtype, type DtypeSummary } from './stored-tensors.js';
export type { TokenizerFacts } from './tokenizer-facts.js';
