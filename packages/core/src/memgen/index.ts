// The composition: weaving latents into a frozen reasoner, in training and in generation.
export {
  findAugmentationPoints,
  type AugmentationPoint,
  type AugmentationPointOptions,
  type LabelledSequence,
} from './augmentation-points.js';
export { evaluationLoss, trainingLoss, type TrainingLoss, type TrainingLossOptions } from './training-loss.js';
export type { Trigger, TriggerInference, TriggerSession, TriggerSessionOptions } from './trigger.js';
export {
  requireTrainedWeaver,
  type InferenceOptions,
  type LatentKind,
  type TrainedWeaverOptions,
  type Weaver,
  type WeaverInference,
  type WeaverSession,
  type WeaverSessionOptions,
} from './weaver.js';
export { checkVectors, SessionRows } from './session-rows.js';
export { wovenForward, type WovenForwardOptions, type WovenForwardResult, type WovenRow } from './woven-forward.js';
export { chooseTurns, splitTurns } from './conversation-turns.js';
export { LabelledPlaces } from './labelled-places.js';
export { prepareRow, prepareTurns, type PrepareRowOptions } from './prepare-row.js';
export { openMemGen, saveMemGen, type MemGenParts, type OpenedMemGen, type WeavingSettings } from './checkpoint.js';
export { checkpointVersion, type PartName } from './manifest.js';
export {
  MemGen,
  type ActiveParts,
  type ComposedGenerateOptions,
  type FromPretrainedOptions,
  type MemGenMode,
  type MemGenOptions,
} from './memgen-model.js';
export { openOfficialTensors, type OfficialTensors } from './official-checkpoint.js';
export type { PartLoader } from './part-loader.js';
