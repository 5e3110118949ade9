// Public surface of @memgen/grpo.
export {
  adaptivePenalty,
  type AdaptivePenalty,
  type AdaptivePenaltyInput,
  type AdaptivePenaltyOptions,
} from './adaptive-penalty.js';
export {
  groupAdvantages,
  type AdvantageOptions,
  type GroupAdvantages,
  type RewardGroup,
  type RewardScale,
} from './advantages.js';
export type { LossType, ObjectiveOptions, PolicyActions } from './objective-options.js';
export { policyObjective, type ObjectiveMetrics, type PolicyObjective } from './objective.js';
export { combineRewards, type RewardScores } from './rewards.js';
export {
  decidedText,
  type DecidedText,
  type Decision,
  type DecisionProbabilities,
  type TriggerPolicyOptions,
} from './trigger-decisions.js';
export {
  triggerLogProbabilities,
  triggerObjective,
  type TriggerObjective,
  type TriggerObjectiveOptions,
  type TriggerPolicyRow,
} from './trigger-objective.js';
export {
  completionLogProbabilities,
  weaverObjective,
  type CompletionLogProbabilities,
  type WeaverObjective,
  type WeaverObjectiveOptions,
  type WeaverPolicyOptions,
  type WeaverPolicyRow,
} from './weaver-objective.js';
export {
  scoreCompletions,
  type Completion,
  type RewardFailure,
  type RewardFunction,
  type ScoredCompletions,
} from './score-completions.js';
export {
  rolloutWeaver,
  wovenSequence,
  type PolicyPrompt,
  type RolloutOptions,
  type WeaverRollout,
} from './weaver-rollout.js';
export { trainWeaverGrpo, type WeaverGrpoOptions, type WeaverGrpoReport } from './weaver-grpo.js';
