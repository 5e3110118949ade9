// Public surface of @memgen/sft.
export { DataOrder, type DataOrderOptions } from './data-order.js';
export { tieKeysToQueries, setPreviousTokenHead } from './attention-priors.js';
export { pretrain, type PretrainingOptions } from './pretraining.js';
export {
  runTrainingLoop,
  type StepGradients,
  type StepReport,
  type TrainingLoopOptions,
  type TrainingOutcome,
} from './training-loop.js';
export { trainWeaver, weaverSftSteps, type WeaverSftOptions } from './weaver-sft.js';
export { loadTrainingState, restoreValues, saveTrainingState, type TrainingState } from './training-state.js';
