// Public surface of @memgen/sft.
export { adapterModel, sequenceLoss, trainAdapter } from './adapter-sft.js';
export { setPreviousTokenHead, tieKeysToQueries } from './attention-priors.js';
export { CheckpointFolder, type CheckpointFolderOptions, type StoredCheckpoint } from './checkpoint-folder.js';
export { DataOrder, type DataOrderOptions } from './data-order.js';
export {
  Evaluator,
  meanLoss,
  type EvaluationOptions,
  type EvaluationReport,
  type EvaluationState,
  type EvaluatorOptions,
  type MeanLossOptions,
} from './evaluation.js';
export { decoderModel, muonWithAdamW, trainDecoder, type MuonWithAdamWOptions } from './full-sft.js';
export {
  prepareSequences,
  prepareWovenRows,
  type LeftOutRow,
  type PrepareDataOptions,
  type PreparedRows,
  type PrepareWovenOptions,
  type SftExample,
} from './prepare-data.js';
export { pretrain, type PretrainingOptions } from './pretraining.js';
export { runSft } from './run-sft.js';
export { sftSteps, sftSteps as weaverSftSteps, type SftOptions, type SftOutcome } from './sft-options.js';
export { stepGradients, type Accumulation, type StepGradientOptions } from './step-gradients.js';
export { StepTimer } from './step-timer.js';
export { supervisedTokens, type SupervisedGradientOptions, type SupervisedModel } from './supervised-model.js';
export {
  runTrainingLoop,
  type LoopEvaluation,
  type StepGradients,
  type StepReport,
  type TrainingLoopOptions,
  type TrainingOutcome,
} from './training-loop.js';
export { loadTrainingState, restoreValues, saveTrainingState, type TrainingState } from './training-state.js';
export type { TrainingProgress } from './training-progress.js';
export { trainWeaver, weaverModel, type WeaverSftOptions } from './weaver-sft.js';
