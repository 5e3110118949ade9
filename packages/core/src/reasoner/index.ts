// Loading and saving whole models.
export { availableMemory, checkMemory, type CheckMemoryOptions } from './check-memory.js';
export { loadReasoner, type LoadReasonerOptions } from './load-reasoner.js';
export { estimateMemory, type EstimateMemoryOptions, type MemoryEstimate } from './memory-estimate.js';
export type { Reasoner, ReasonerOrigin } from './reasoner.js';
export { saveDecoderWeights } from './save-model.js';
export type { TrainingMemory, TrainingSizes } from './training-memory.js';
