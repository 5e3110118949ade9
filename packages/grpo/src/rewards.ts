// Several reward functions become one reward per completion.
import { MemGenError } from '@memgen/common';

/**
 * What the reward functions gave one completion, in their order. `undefined`: this function does not apply to the row;
 * NaN: it failed.
 */
export type RewardScores = readonly (number | undefined)[];

/**
 * Weighted sum of the scores of each completion. A function that does not apply adds nothing; a row for which one failed,
 * or to which none applies, is NaN, and {@link groupAdvantages} leaves it out.
 * @param weights - one for each function. @default 1 for all
 * @throws MemGenError `reward-weights` where scores and weights do not go together.
 */
export function combineRewards(scores: readonly RewardScores[], weights?: readonly number[]): Float64Array {
  const functions = weights?.length ?? scores[0]?.length ?? 0;
  return Float64Array.from(scores, (row, i) => {
    if (row.length !== functions) {
      throw new MemGenError({
        code: 'reward-weights',
        where: `completion ${i}`,
        message: 'every completion needs one score from each reward function',
        got: `${row.length} scores`,
        expected: weights === undefined ? `${functions}, as the first completion has` : `${functions}, one per weight`,
      });
    }
    if (row.every((score) => score === undefined)) return NaN;
    return row.reduce<number>((sum, score, k) => (score === undefined ? sum : sum + (weights?.[k] ?? 1) * score), 0);
  });
}
