// One rollout of weaver GRPO: groups of completions with latents woven in, their rewards, and what they teach.
import type { Random } from '@memgen/common';
import { generate, ignoredLabel, type Decoder, type GeneratedRow, type Tokenizer, type Weaver, type WovenRow } from '@memgen/core'; // prettier-ignore
import { groupAdvantages, type GroupAdvantages, type RewardScale } from './advantages.js';
import { combineRewards } from './rewards.js';
import { scoreCompletions, type Completion, type RewardFailure, type RewardFunction } from './score-completions.js';
import type { WeaverPolicyRow } from './weaver-objective.js';

/** The reference's. */
export const defaultCompletionLength = 1024;

/** A prompt, and what a reward function needs to know about it. */
export interface PolicyPrompt<Task> {
  ids: readonly number[];
  task: Task;
}

export interface RolloutOptions<Task> {
  weaver: Weaver;
  rewards: readonly RewardFunction<Task>[];
  /** Completions of each prompt. @default 8 */
  groupSize?: number;
  /** Longest completion, in tokens. @default 1024 */
  maxCompletionLength?: number;
  /** Of the sampling, and of the log-probabilities. Above 0. @default 1 */
  temperature?: number;
  /** @default 5 */
  maxInferencePoints?: number;
  /** @default "group" */
  scaleRewards?: RewardScale;
  /** Completions that were cut at the longest length teach nothing. @default false */
  maskTruncatedCompletions?: boolean;
  /** Most rewards awaited at a time. @default 8 */
  rewardConcurrency?: number;
}

export interface WeaverRollout<Task> {
  completions: Completion<Task>[];
  /** One for each completion; NaN where a reward failed. */
  rewards: Float64Array;
  failures: RewardFailure[];
  /** Completions as actions to learn from. */
  rows: WeaverPolicyRow[];
  /** By TRL's names. */
  metrics: Record<string, number>;
  /** What keeps this rollout from teaching anything, in words. */
  obstacle: string | undefined;
}

/** Samples `groupSize` completions of each prompt and scores them. */
export async function rolloutWeaver<Task>(
  reasoner: { decoder: Decoder; tokenizer: Tokenizer },
  prompts: readonly PolicyPrompt<Task>[],
  random: Random,
  {
    weaver,
    rewards: functions,
    groupSize = 8,
    maxCompletionLength = defaultCompletionLength,
    temperature = 1,
    maxInferencePoints = 5,
    scaleRewards = 'group',
    maskTruncatedCompletions = false,
    rewardConcurrency = 8,
  }: RolloutOptions<Task>,
): Promise<WeaverRollout<Task>> {
  const members = prompts.flatMap((prompt) => Array.from({ length: groupSize }, () => prompt));
  const generated = await generate(
    reasoner,
    members.map(({ ids }) => ids),
    { weaver, maxInferencePoints, maxNewTokens: maxCompletionLength, sampling: { temperature }, random },
  );
  const completions = generated.map(({ ids, finished }, i): Completion<Task> => ({
    task: members[i]!.task,
    text: reasoner.tokenizer.decode(ids, { skipSpecialTokens: true }),
    ids,
    finished: finished === 'end' ? 'end' : 'length',
  }));
  const scored = await scoreCompletions(completions, functions, { concurrency: rewardConcurrency });
  const weights = functions.map(({ weight = 1 }) => weight);
  const rewards = combineRewards(scored.scores, weights);
  const judged = groupAdvantages(rewards, { groupSize, scaleRewards });
  const counts = completions.map(
    ({ finished }, i) => !Number.isNaN(rewards[i]) && !(maskTruncatedCompletions && finished === 'length'),
  );
  return {
    completions,
    rewards,
    failures: scored.failures,
    rows: generated.map((row, i) => ({
      sequence: wovenSequence(members[i]!.ids, row),
      advantage: judged.advantages[i]!,
      mask: row.ids.map(() => (counts[i]! ? 1 : 0)),
    })),
    metrics: { ...judged.metrics, ...scored.metrics, ...completionMetrics(completions) },
    obstacle: obstacleOf(judged, completions, counts),
  };
}

/** Prompt and completion as they were generated: labels on the tokens written, points where latents went in. */
export function wovenSequence(
  prompt: readonly number[],
  { ids, augmentations }: Pick<GeneratedRow, 'ids' | 'augmentations'>,
): WovenRow {
  return {
    ids: [...prompt, ...ids],
    labels: [...prompt.map(() => ignoredLabel), ...ids],
    points: augmentations.flatMap(
      (augmentation, i) =>
      augmentation === 1 ? [{ index: prompt.length + i, kind: i === 0 ? ('prompt' as const) : ('inference' as const) }] : [], // prettier-ignore
    ),
  };
}

function completionMetrics<Task>(completions: readonly Completion<Task>[]): Record<string, number> {
  const lengths = completions.map(({ ids }) => ids.length);
  const ended = completions.filter(({ finished }) => finished === 'end').map(({ ids }) => ids.length);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    'completions/mean_length': mean(lengths),
    'completions/min_length': Math.min(...lengths),
    'completions/max_length': Math.max(...lengths),
    'completions/clipped_ratio': 1 - ended.length / lengths.length,
    'completions/mean_terminated_length': ended.length === 0 ? 0 : mean(ended),
  };
}

function obstacleOf<Task>(
  { zeroSpread, groups, failed }: GroupAdvantages,
  completions: readonly Completion<Task>[],
  counts: readonly boolean[],
): string | undefined {
  if (failed.length === completions.length) return 'no completion has a reward: every reward function failed';
  if (!counts.includes(true)) {
    return 'every completion was cut at the longest length and is masked: allow longer ones, or do not mask them';
  }
  if (zeroSpread.length < groups.length) return undefined;
  const spread = 'the completions of each prompt were rewarded alike, so that no advantage is left';
  const cut = completions.every(({ finished }) => finished === 'length');
  return cut ? `${spread}; all were cut at the longest length` : spread;
}
