// Scores of completions.
export { boxedAnswer } from './boxed-answer.js';
export { codeBlocks } from './code-blocks.js';
export { isEquivalentMathAnswer, normalizeMathAnswer } from './math-normalization.js';
export { scoreMath, type MathScore, type MathScoring } from './math-score.js';
export { parseRational, type Rational } from './rational.js';
