// Reward of mathematics: the boxed answer, by either scoring.
import type { RewardFunction } from '@memgen/common';
import { scoreMath, type MathScoring } from '../scoring/math-score.js';

/**
 * 1 if the first box of the completion holds the answer in the last box of the row's solution, else 0.
 *
 * @param scoring - default `reference`; report both where thousands separators may occur.
 */
export function mathReward({ scoring = 'reference' }: { scoring?: MathScoring } = {}): RewardFunction<{
  solution: string;
}> {
  return {
    name: `math-${scoring}`,
    score: (samples) =>
      samples.map(({ row, completion }) => {
        const score = scoreMath(completion, row.solution);
        if (score.extracted === undefined) return { value: 0, reason: 'no boxed answer' };
        return { value: Number(score[scoring]) };
      }),
  };
}
