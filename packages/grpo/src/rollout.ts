// A rollout that has been judged: episodes in groups, their rewards, advantages, and what keeps them from teaching.
import { groupAdvantages, type GroupAdvantages, type RewardScale } from './advantages.js';
import type { Episode } from './episode.js';
import { combineRewards } from './rewards.js';
import { scoreCompletions, type Completion, type CompletionReward, type RewardFailure } from './score-completions.js';

export interface RolloutOptions<Task> {
  /** Beside the reward of the environment, if there is one, which has the name `environment`. */
  rewards?: readonly CompletionReward<Task>[];
  /** One for each of `rewards`. @default 1 for all */
  rewardWeights?: readonly number[];
  /** Completions of each prompt; at least 2. @default 8 */
  groupSize?: number;
  /** @default "group" */
  scaleRewards?: RewardScale;
  /** Completions that were cut at the longest length teach nothing. @default false */
  maskTruncatedCompletions?: boolean;
}

export interface Rollout<Task> {
  episodes: readonly Episode<Task>[];
  completions: Completion<Task>[];
  /** One for each completion; NaN where a reward failed. */
  rewards: Float64Array;
  /** One for each completion. */
  advantages: Float64Array;
  /** Whether a completion is learnt from: it has a reward, and was not cut where that is masked. */
  counts: boolean[];
  failures: RewardFailure[];
  /** By TRL's names. */
  metrics: Record<string, number>;
  /** What keeps this rollout from teaching anything, in words. */
  obstacle: string | undefined;
}

/**
 * @param episodes - in groups of `groupSize`.
 * @throws MemGenError `group-size`, `reward-functions`, `reward-weights`.
 */
export async function judgeRollout<Task>(
  episodes: readonly Episode<Task>[],
  {
    rewards: functions = [],
    rewardWeights = functions.map(() => 1),
    groupSize = 8,
    scaleRewards = 'group',
    maskTruncatedCompletions = false,
  }: RolloutOptions<Task>,
): Promise<Rollout<Task>> {
  const completions = episodes.map(completionOf);
  const hasEnvironment = episodes.some(({ reward }) => reward !== undefined);
  const all = hasEnvironment ? [environmentReward(episodes), ...functions] : functions;
  const weights = hasEnvironment ? [1, ...rewardWeights] : rewardWeights;
  const scored = await scoreCompletions(completions, all);
  const rewards = combineRewards(scored.scores, weights);
  const judged = groupAdvantages(rewards, { groupSize, scaleRewards });
  const counts = completions.map(
    ({ finished, ids }, i) =>
      ids.length > 0 && !Number.isNaN(rewards[i]) && !(maskTruncatedCompletions && finished === 'length'),
  );
  return {
    episodes,
    completions,
    rewards,
    advantages: judged.advantages,
    counts,
    failures: scored.failures,
    metrics: {
      ...judged.metrics,
      ...scored.metrics,
      ...completionMetrics(completions),
      ...decisionMetrics(episodes),
      ...(hasEnvironment && { 'episodes/mean_turns': mean(episodes.map(({ turns }) => turns.length)) }),
    },
    obstacle: obstacleOf(judged, completions, counts),
  };
}

function completionOf<Task>({ task, turns, end }: Episode<Task>): Completion<Task> {
  return {
    row: task,
    completion: turns.map(({ text }) => text).join('\n'),
    ids: turns.flatMap(({ ids }) => ids),
    finished: end === 'length' ? 'length' : 'end',
  };
}

function environmentReward<Task>(episodes: readonly Episode<Task>[]): CompletionReward<Task> {
  return {
    name: 'environment',
    score: () =>
      episodes.map(({ reward = NaN, failure }) => ({
        value: reward,
        ...(failure !== undefined && { reason: failure }),
      })),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function completionMetrics<Task>(completions: readonly Completion<Task>[]): Record<string, number> {
  const lengths = completions.map(({ ids }) => ids.length);
  const ended = completions.filter(({ finished }) => finished === 'end').map(({ ids }) => ids.length);
  return {
    'completions/mean_length': mean(lengths),
    'completions/min_length': Math.min(...lengths),
    'completions/max_length': Math.max(...lengths),
    'completions/clipped_ratio': 1 - ended.length / lengths.length,
    'completions/mean_terminated_length': ended.length === 0 ? 0 : mean(ended),
  };
}

/** Where there are points: decisions of a completion, and the share of them that wove. */
function decisionMetrics(episodes: readonly Episode<unknown>[]): Record<string, number> {
  const decisions = episodes.map(({ turns }) =>
    turns.flatMap(({ augmentations }) => augmentations.filter((augmentation) => augmentation !== -100)),
  );
  const all = decisions.flat();
  if (all.length === 0) return {};
  const counts = decisions.map(({ length }) => length);
  return {
    'augmentations/mean_length': mean(counts),
    'augmentations/min_length': Math.min(...counts),
    'augmentations/max_length': Math.max(...counts),
    weave_rate: all.filter((augmentation) => augmentation === 1).length / all.length,
  };
}

function obstacleOf<Task>(
  { zeroSpread, groups, failed }: GroupAdvantages,
  completions: readonly Completion<Task>[],
  counts: readonly boolean[],
): string | undefined {
  if (failed.length === completions.length) return 'no completion has a reward: every reward function failed';
  const cut = completions.every(({ finished }) => finished === 'length');
  if (!counts.includes(true)) {
    return cut
      ? 'every completion was cut at the longest length and is masked: allow longer ones, or do not mask them'
      : 'the masks are empty: every completion was cut and is masked, has no reward, or has no token';
  }
  if (zeroSpread.length < groups.length) return undefined;
  const spread = 'the completions of each prompt were rewarded alike, so that no advantage is left';
  return cut ? `${spread}; all were cut at the longest length` : spread;
}
