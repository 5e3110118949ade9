// Group-relative advantages: how much better a completion was rewarded than the others of its prompt.
import { MemGenError } from '@memgen/common';

/** By what a difference from the group's mean is divided: its own standard deviation, the whole batch's, or nothing. */
export type RewardScale = 'group' | 'batch' | 'none';

export interface AdvantageOptions {
  /** Completions of one prompt; those of a prompt stand together. At least 2. */
  groupSize: number;
  /** @default "group" */
  scaleRewards?: RewardScale;
  /** Added to the standard deviation. @default 1e-4, as in TRL */
  epsilon?: number;
}

/** The rewards of the completions of one prompt. */
export interface RewardGroup {
  /** Completions whose reward is a number. */
  scored: number;
  /** NaN without any. */
  mean: number;
  /** Standard deviation (n - 1); 0 for fewer than two. */
  deviation: number;
}

export interface GroupAdvantages {
  /** One for each completion; 0 where the reward is NaN. */
  advantages: Float64Array;
  /** One for each prompt. */
  groups: RewardGroup[];
  /** Prompts whose completions were all rewarded alike: they teach nothing. */
  zeroSpread: number[];
  /** Completions without a reward; they take no part in mean and deviation, and must be masked in the objective. */
  failed: number[];
  /** `reward`, `reward_std` (means over the groups) and `frac_reward_zero_std`, as TRL names them. */
  metrics: Record<'reward' | 'reward_std' | 'frac_reward_zero_std', number>;
}

/** Rounding alone makes equal rewards differ by less. */
const noSpread = 1e-8;

/**
 * `(reward - mean of the group) / (standard deviation + epsilon)` (Shao et al. 2024, section 4.1; TRL's GRPOTrainer).
 * @param rewards - in groups of `groupSize`; NaN for a completion that could not be scored.
 * @throws MemGenError `group-size` when the rewards do not make whole groups of at least two.
 */
export function groupAdvantages(
  rewards: ArrayLike<number>,
  { groupSize, scaleRewards = 'group', epsilon = 1e-4 }: AdvantageOptions,
): GroupAdvantages {
  checkGroupSize(rewards.length, groupSize);
  const all = Array.from(rewards);
  const groups = Array.from({ length: all.length / groupSize }, (_, g) =>
    describe(all.slice(g * groupSize, (g + 1) * groupSize)),
  );
  const batchDeviation = describe(all).deviation;
  const advantages = Float64Array.from(all, (reward, i) => {
    const { mean, deviation } = groups[Math.floor(i / groupSize)]!;
    if (Number.isNaN(reward) || deviation <= noSpread) return 0;
    if (scaleRewards === 'none') return reward - mean;
    return (reward - mean) / ((scaleRewards === 'batch' ? batchDeviation : deviation) + epsilon);
  });
  const zeroSpread = groups.flatMap(({ deviation }, g) => (deviation <= noSpread ? [g] : []));
  const scored = groups.filter((group) => group.scored > 0);
  return {
    advantages,
    groups,
    zeroSpread,
    failed: all.flatMap((reward, i) => (Number.isNaN(reward) ? [i] : [])),
    metrics: {
      reward: average(scored.map(({ mean }) => mean)),
      reward_std: average(scored.map(({ deviation }) => deviation)),
      frac_reward_zero_std: zeroSpread.length / groups.length,
    },
  };
}

function checkGroupSize(completions: number, groupSize: number): void {
  if (Number.isInteger(groupSize) && groupSize >= 2 && completions > 0 && completions % groupSize === 0) return;
  const divisors = Array.from({ length: completions }, (_, i) => i + 1).filter((n) => n > 1 && completions % n === 0);
  throw new MemGenError({
    code: 'group-size',
    message: 'rewards come in whole groups: the same number of completions, at least two, for each prompt',
    got: `${completions} rewards in groups of ${groupSize}`,
    ...(divisors.length > 0 && { expected: `groups of ${divisors.join(', ')}` }),
    hint: 'count the batch in prompts and give each of them groupSize completions',
  });
}

function describe(rewards: readonly number[]): RewardGroup {
  const scored = rewards.filter((reward) => !Number.isNaN(reward));
  const mean = average(scored);
  const squares = scored.reduce((sum, reward) => sum + (reward - mean) ** 2, 0);
  return { scored: scored.length, mean, deviation: scored.length < 2 ? 0 : Math.sqrt(squares / (scored.length - 1)) };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
