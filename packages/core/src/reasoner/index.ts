// Loading and saving whole models.
export { loadReasoner, type LoadReasonerOptions } from './load-reasoner.js';
export type { Reasoner, ReasonerOrigin } from './reasoner.js';
export { saveDecoderWeights } from './save-model.js';
