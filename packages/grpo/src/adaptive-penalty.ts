// The paper's reward-adaptive penalty on weaving: no more often than the completions that were rewarded well.
import { MemGenError } from '@memgen/common';

export interface AdaptivePenaltyOptions {
  /** Weight of the penalty; 0 or more. */
  lambda: number;
  /**
   * Which completions set the standard: those rewarded above the mean of their group, or those at or above this quantile
   * (0 to 1) of the rewards of the scope. @default "group-mean"
   */
  highReward?: 'group-mean' | number;
  /** Whether the standard is one for the whole batch, as in the paper, or one for each prompt. @default "batch" */
  scope?: 'batch' | 'group';
}

export interface AdaptivePenaltyInput {
  /** Probability of weaving at each point of each completion. */
  probabilities: readonly ArrayLike<number>[];
  /** One for each completion, in groups; NaN where there is none. */
  rewards: ArrayLike<number>;
  /** Completions of one prompt. */
  groupSize: number;
}

export interface AdaptivePenalty {
  /** `lambda * sum over points of max(0, probability - standard)`, one for each completion. */
  penalties: Float64Array;
  /** Derivative of each penalty with respect to the probabilities; the standard is held fixed. */
  slopes: Float64Array[];
  /** Mean probability of weaving in the highly rewarded completions; undefined where there are none, and no penalty then. */
  standards: (number | undefined)[];
}

/**
 * arXiv 2509.24704, equations 8 and 9. The official code does not have it.
 * @throws MemGenError `penalty-options`, `group-size`.
 */
export function adaptivePenalty(
  { probabilities, rewards, groupSize }: AdaptivePenaltyInput,
  { lambda, highReward = 'group-mean', scope = 'batch' }: AdaptivePenaltyOptions,
): AdaptivePenalty {
  check({ probabilities, rewards, groupSize }, { lambda, highReward });
  const all = Array.from(rewards);
  const members = (size: number) => chunksOf(all.map((_, i) => i), size); // prettier-ignore
  const isHigh = new Set<number>();
  const rule = highReward === 'group-mean' ? aboveMean : atQuantile(highReward);
  for (const rows of members(highReward === 'group-mean' || scope === 'group' ? groupSize : all.length)) {
    const scored = rows.filter((row) => !Number.isNaN(all[row]!));
    const threshold = rule(scored.map((row) => all[row]!));
    for (const row of scored) if (threshold(all[row]!)) isHigh.add(row);
  }
  const standards: (number | undefined)[] = [];
  for (const rows of members(scope === 'group' ? groupSize : all.length)) {
    const good = rows.filter((row) => isHigh.has(row)).flatMap((row) => Array.from(probabilities[row]!));
    const standard = good.length === 0 ? undefined : good.reduce((sum, p) => sum + p, 0) / good.length;
    for (const row of rows) standards[row] = Number.isNaN(all[row]!) ? undefined : standard;
  }
  return { ...chargeAbove(probabilities, standards, lambda), standards };
}

/** What weaving more often than the standards costs, one for each completion, and its derivatives. */
export function chargeAbove(
  probabilities: readonly ArrayLike<number>[],
  standards: readonly (number | undefined)[],
  lambda: number,
): Pick<AdaptivePenalty, 'penalties' | 'slopes'> {
  const slopes = probabilities.map((row, b) => {
    const standard = standards[b] ?? Infinity;
    return Float64Array.from(row, (probability) => (probability > standard ? lambda : 0));
  });
  const penalties = Float64Array.from(slopes, (row, b) =>
    row.reduce((sum, slope, j) => (slope === 0 ? sum : sum + slope * (probabilities[b]![j]! - standards[b]!)), 0),
  );
  return { penalties, slopes };
}

type Rule = (rewards: readonly number[]) => (reward: number) => boolean;

const aboveMean: Rule = (rewards) => {
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  // Rounding must not put one of several equal rewards above their mean.
  return (reward) => reward - mean > 1e-9 * Math.max(1, Math.abs(mean));
};

function atQuantile(quantile: number): Rule {
  return (rewards) => {
    const sorted = [...rewards].sort((a, b) => a - b);
    const threshold = sorted[Math.ceil(quantile * (sorted.length - 1))]!;
    // Where all are equal none is high: nothing tells good from bad.
    return (reward) => reward >= threshold && reward > sorted[0]!;
  };
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: items.length / size }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function check(
  { probabilities, rewards, groupSize }: AdaptivePenaltyInput,
  { lambda, highReward }: AdaptivePenaltyOptions,
): void {
  const fail = (code: string, message: string, got: string, expected: string): never => {
    throw new MemGenError({ code, message, got, expected });
  };
  if (!(lambda >= 0 && lambda < Infinity)) {
    fail('penalty-options', 'the weight of the penalty is out of range', String(lambda), 'a number of 0 or more');
  }
  if (typeof highReward === 'number' && !(highReward >= 0 && highReward <= 1)) {
    fail('penalty-options', 'the quantile of high rewards is out of range', String(highReward), 'a number from 0 to 1');
  }
  if (rewards.length !== probabilities.length || !(groupSize >= 1) || rewards.length % groupSize !== 0) {
    fail(
      'group-size',
      'the penalty needs whole groups of completions and one reward for each',
      `${probabilities.length} completions, ${rewards.length} rewards, groups of ${groupSize}`,
      'as many rewards as completions, a multiple of the size of a group',
    );
  }
}
