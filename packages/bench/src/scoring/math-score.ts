// Scores a completion of a mathematics problem against its solution.
import { boxedAnswer } from './boxed-answer.js';
import { isEquivalentMathAnswer, normalizeMathAnswer } from './math-normalization.js';
import { equalRationals, parseRational } from './rational.js';

/**
 * `reference`: equal spelling after normalisation, as the official code and most tables score. `numeric`: also equal as
 * exact numbers, so that "1,000" is "1000".
 */
export type MathScoring = 'reference' | 'numeric';

export interface MathScore {
  /** The completion's final answer as it stands in the first box. */
  extracted: string | undefined;
  reference: boolean;
  /** True whenever `reference` is. */
  numeric: boolean;
}

/**
 * Compares the first box of `completion` with the last box of `solution`. Without a box in either, nothing is right.
 */
export function scoreMath(completion: string, solution: string): MathScore {
  const extracted = boxedAnswer(completion, 'first');
  const expected = boxedAnswer(solution, 'last');
  if (extracted === undefined || expected === undefined) return { extracted, reference: false, numeric: false };
  const reference = isEquivalentMathAnswer(extracted, expected);
  const isNumber = () => isSameNumber(normalizeMathAnswer(extracted), normalizeMathAnswer(expected));
  return { extracted, reference, numeric: reference || isNumber() };
}

function isSameNumber(left: string, right: string): boolean {
  const [a, b] = [parseRational(left), parseRational(right)];
  return a !== undefined && b !== undefined && equalRationals(a, b);
}
