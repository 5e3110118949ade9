// Runs reward functions over completions; one that fails costs its rows, not the run.
import { MemGenError, type Reward, type RewardSample } from '@memgen/common';
import type { RewardScores } from './rewards.js';

/** A completion to be scored; `row` is what the prompt asked for, `completion` the text of all turns. */
export interface Completion<Task> extends RewardSample<Task> {
  /** What the model wrote, turn after turn. */
  ids: readonly number[];
  /** Whether it came to its end or was cut at the longest length. */
  finished: 'end' | 'length';
}

/**
 * A reward function of `@memgen/common` (`rewardPerSample` there makes one out of a function of a single completion, a
 * bounded number at a time), which may also look at ids and leave out completions that it does not apply to.
 */
export interface CompletionReward<Task> {
  /** Its name in the metrics. */
  readonly name: string;
  /**
   * One reward for each completion, in their order: NaN where it cannot be told, `undefined` where the function does not
   * apply. If it throws, none of these completions has a reward.
   */
  score(
    samples: readonly Completion<Task>[],
  ): Promise<readonly (Reward | undefined)[]> | readonly (Reward | undefined)[];
}

/** Why a completion has no reward. */
export interface RewardFailure {
  completion: number;
  function: string;
  reason: string;
}

export interface ScoredCompletions {
  /** One row for each completion; NaN where a function failed. */
  scores: RewardScores[];
  /** In the order of the completions. */
  failures: RewardFailure[];
  /** `rewards/<name>/mean` and `rewards/<name>/std` over the scores there are. */
  metrics: Record<string, number>;
}

/**
 * All functions work at the same time.
 * @throws MemGenError `reward-functions` for no function, two of one name, or one that gives too few or many rewards.
 */
export async function scoreCompletions<Task>(
  completions: readonly Completion<Task>[],
  functions: readonly CompletionReward<Task>[],
): Promise<ScoredCompletions> {
  checkNames(functions.map(({ name }) => name));
  const columns = await Promise.all(functions.map((reward) => scoreBy(reward, completions)));
  const failures: RewardFailure[] = [];
  const scores = completions.map((_, completion) =>
    columns.map((column, k) => {
      const reward = column[completion];
      if (reward === undefined) return undefined;
      if (Number.isFinite(reward.value)) return reward.value;
      const reason = reward.reason ?? `the score is ${reward.value}, not a finite number`;
      failures.push({ completion, function: functions[k]!.name, reason });
      return NaN;
    }),
  );
  return { scores, failures, metrics: rewardMetrics(scores, functions) };
}

async function scoreBy<Task>(
  reward: CompletionReward<Task>,
  completions: readonly Completion<Task>[],
): Promise<readonly (Reward | undefined)[]> {
  let rewards: readonly (Reward | undefined)[];
  try {
    rewards = await reward.score(completions);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return completions.map(() => ({ value: NaN, reason }));
  }
  if (rewards.length === completions.length) return rewards;
  throw new MemGenError({
    code: 'reward-functions',
    where: reward.name,
    message: 'a reward function gives one reward for each completion',
    got: String(rewards.length),
    expected: `${completions.length}; undefined where it does not apply`,
  });
}

function checkNames(names: readonly string[]): void {
  if (names.length > 0 && new Set(names).size === names.length) return;
  throw new MemGenError({
    code: 'reward-functions',
    message: 'completions cannot be scored so',
    got: names.length === 0 ? 'no reward function' : `reward functions ${names.join(', ')}`,
    expected: 'at least one, each with a name of its own',
  });
}

function rewardMetrics(
  scores: readonly RewardScores[],
  functions: readonly { readonly name: string }[],
): Record<string, number> {
  const entries = functions.flatMap(({ name }, k): [string, number][] => {
    const known = scores.flatMap((row) => (row[k] === undefined || Number.isNaN(row[k]) ? [] : [row[k]]));
    if (known.length === 0) return [];
    const mean = known.reduce((sum, score) => sum + score, 0) / known.length;
    const squares = known.reduce((sum, score) => sum + (score - mean) ** 2, 0);
    return [
      [`rewards/${name}/mean`, mean],
      [`rewards/${name}/std`, Math.sqrt(squares / Math.max(1, known.length - 1))],
    ];
  });
  return Object.fromEntries(entries);
}
