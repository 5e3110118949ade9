// The composition: weaving latents into a frozen reasoner, in training and in generation.
export {
  findAugmentationPoints,
  type AugmentationPoint,
  type AugmentationPointOptions,
  type LabelledSequence,
} from './augmentation-points.js';
export { evaluationLoss, trainingLoss, type TrainingLoss, type TrainingLossOptions } from './training-loss.js';
export type { Trigger, TriggerSession, TriggerSessionOptions } from './trigger.js';
export type { LatentKind, Weaver, WeaverSession, WeaverSessionOptions } from './weaver.js';
export { wovenForward, type WovenForwardOptions, type WovenForwardResult, type WovenRow } from './woven-forward.js';
export { chooseTurns, splitTurns } from './conversation-turns.js';
export { LabelledPlaces } from './labelled-places.js';
export { prepareRow, prepareTurns, type PrepareRowOptions } from './prepare-row.js';
export { checkpointVersion, openMemGen, saveMemGen, type MemGenParts } from './checkpoint.js';
