// Runs reward functions over completions, a few at a time; one that fails costs its row, not the run.
import { MemGenError } from '@memgen/common';
import type { RewardScores } from './rewards.js';

/** A completion to be scored. */
export interface Completion<Task> {
  /** What the prompt asked for, as the caller gave it. */
  task: Task;
  /** Decoded without special tokens. */
  text: string;
  ids: readonly number[];
  /** Whether it came to its end or was cut at the longest length. */
  finished: 'end' | 'length';
}

export interface RewardFunction<Task> {
  /** Its name in the metrics. */
  name: string;
  /** @default 1 */
  weight?: number;
  /** `undefined` where it does not apply. May throw or reject: the completion then has no reward. */
  score: (completion: Completion<Task>) => number | undefined | Promise<number | undefined>;
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
  failures: RewardFailure[];
  /** `rewards/<name>/mean` and `rewards/<name>/std` over the scores there are. */
  metrics: Record<string, number>;
}

/** @param concurrency - most scores awaited at a time. */
export async function scoreCompletions<Task>(
  completions: readonly Completion<Task>[],
  functions: readonly RewardFunction<Task>[],
  { concurrency = 8 }: { concurrency?: number } = {},
): Promise<ScoredCompletions> {
  if (functions.length === 0 || !(concurrency >= 1)) {
    throw new MemGenError({
      code: 'reward-functions',
      message: 'completions cannot be scored so',
      got: `${functions.length} reward functions, ${concurrency} scores at a time`,
      expected: 'at least one of each',
    });
  }
  const scores: (number | undefined)[][] = completions.map(() => functions.map(() => undefined));
  const failures: RewardFailure[] = [];
  const jobs = completions.flatMap((_, row) => functions.map((_, k) => ({ row, k })));
  let next = 0;
  const work = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      const { row, k } = job;
      const reason = await scoreOne(completions[row]!, functions[k]!, (score) => (scores[row]![k] = score));
      if (reason === undefined) continue;
      scores[row]![k] = NaN;
      failures.push({ completion: row, function: functions[k]!.name, reason });
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, work));
  // In the order of the completions, whichever was done first.
  failures.sort((a, b) => a.completion - b.completion);
  return { scores, failures, metrics: rewardMetrics(scores, functions) };
}

/** @returns the reason of a failure. */
async function scoreOne<Task>(
  completion: Completion<Task>,
  { score }: RewardFunction<Task>,
  keep: (score: number | undefined) => void,
): Promise<string | undefined> {
  try {
    const value = await score(completion);
    if (value !== undefined && !Number.isFinite(value)) return `the score is ${value}, not a finite number`;
    keep(value);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function rewardMetrics<Task>(
  scores: readonly RewardScores[],
  functions: readonly RewardFunction<Task>[],
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
