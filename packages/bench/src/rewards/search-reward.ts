// Rewards of question answering with search: correctness and form apart, and the reference's mixture of both.
import type { RewardFunction } from '@memgen/common';
import { containsAlias, isExactMatch, lastAnswer } from '../search/question-answering.js';

interface QuestionRow {
  answers: readonly string[];
}

/** 1 if the last answer is right: an alias is in it (`contains`), or it equals one after normalisation (`exact-match`). */
export function answerReward({
  scoring = 'exact-match',
}: { scoring?: 'contains' | 'exact-match' } = {}): RewardFunction<QuestionRow> {
  const isRight = scoring === 'contains' ? containsAlias : isExactMatch;
  return {
    name: `answer-${scoring}`,
    score: (samples) =>
      samples.map(({ row, completion }) => {
        const answer = lastAnswer(completion);
        return answer === undefined
          ? { value: 0, reason: 'no answer' }
          : { value: Number(isRight(answer, row.answers)) };
      }),
  };
}

/** 1 if there is an answer, right or wrong. */
export function answerFormatReward(): RewardFunction<object> {
  return {
    name: 'answer-format',
    score: (samples) => samples.map(({ completion }) => ({ value: Number(lastAnswer(completion) !== undefined) })),
  };
}

/**
 * The reference's: 0 without an answer, 1 if the last one contains an alias, else 0.5. Half of it is a bonus for form:
 * do not read it as accuracy.
 */
export function answerPresetReward(): RewardFunction<QuestionRow> {
  return {
    name: 'answer-reference',
    score: (samples) =>
      samples.map(({ row, completion }) => {
        const answer = lastAnswer(completion);
        if (answer === undefined) return { value: 0, reason: 'no answer' };
        return containsAlias(answer, row.answers) ? { value: 1 } : { value: 0.5, reason: 'a wrong answer in form' };
      }),
  };
}
