// Public surface of @memgen/sft.
export { DataOrder, type DataOrderOptions } from './data-order.js';
export { pretrain, type PretrainingOptions } from './pretraining.js';
export {
  runTrainingLoop,
  type StepGradients,
  type StepReport,
  type TrainingLoopOptions,
  type TrainingOutcome,
} from './training-loop.js';
export { trainWeaver, weaverSftSteps, type WeaverSftOptions } from './weaver-sft.js';
