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
  type StandardPenalty,
  type TriggerObjective,
  type TriggerObjectiveOptions,
  type TriggerPolicyRow,
} from './trigger-objective.js';
export {
  completionLogProbabilities,
  weaverObjective,
  type WeaverObjective,
  type WeaverObjectiveOptions,
  type WeaverPolicyOptions,
  type WeaverPolicyRow,
} from './weaver-objective.js';
export {
  adapterLogProbabilities,
  adapterObjective,
  type AdapterObjectiveOptions,
  type AdapterPolicyOptions,
  type AdapterPolicyRow,
} from './adapter-objective.js';
export type { CompletionLogProbabilities, PolicySequence, SequenceObjective } from './sequence-objective.js';
export {
  scoreCompletions,
  type Completion,
  type CompletionReward,
  type RewardFailure,
  type ScoredCompletions,
} from './score-completions.js';
export {
  decidedEpisode,
  labelledEpisode,
  wovenSequence,
  wovenTurns,
  type Episode,
  type EpisodeEnd,
  type EpisodeTurn,
} from './episode.js';
export type { GenerationSettings } from './generation-settings.js';
export { answerPrompts, type PolicyPrompt } from './answer-prompts.js';
export { playEpisodes, type EpisodeSettings, type PlayEpisodesOptions } from './play-episodes.js';
export { judgeRollout, type Rollout, type RolloutOptions } from './rollout.js';
export type { EnvironmentTasks, PolicyTasks } from './episode-source.js';
export { parameterValues, type ParameterValues } from './reference-values.js';
export type { PolicyBatchOptions } from './policy-batches.js';
export type { PolicyStepReport, PolicyTrainingOptions } from './policy-training-options.js';
export { trainWeaverGrpo, type WeaverGrpoOptions } from './weaver-grpo.js';
export { trainTriggerGrpo, type TriggerGrpoOptions } from './trigger-grpo.js';
export { trainAdapterGrpo, type AdapterGrpoOptions } from './adapter-grpo.js';
export * from './workers/index.js';
