// How likely the model itself finds tokens: log-softmax of its logits, whatever the sampling does with them.
import { kthLargest } from './kth-largest.js';

/** A token with its log-probability (natural, at most 0). */
export interface TokenProbability {
  id: number;
  logProbability: number;
}

/** log(sum(exp(logits))) */
export function logSumExpOf(logits: Float32Array): number {
  let largest = -Infinity;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}

/** The `count` most likely tokens, most likely first; of equals, the smaller id first. */
export function topTokens(logits: Float32Array, count: number, logNormalizer: number): TokenProbability[] {
  const wanted = Math.min(count, logits.length);
  if (wanted === 0) return [];
  const least = kthLargest(logits, wanted);
  const found: TokenProbability[] = [];
  // Those that equal the least may be many more than there is room for.
  let equals = 0;
  logits.forEach((logit, id) => {
    if (logit < least || (logit === least && equals++ >= wanted)) return;
    found.push({ id, logProbability: logit - logNormalizer });
  });
  return found.sort((a, b) => b.logProbability - a.logProbability || a.id - b.id).slice(0, wanted);
}
