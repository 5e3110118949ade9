// Chance that at least one of k samples is right, from n samples of which some are.
import { MemGenError } from '@memgen/common';

/**
 * Unbiased estimate 1 - C(n - c, k) / C(n, k).
 *
 * @param samples - n, at least k.
 * @param correct - c, how many of them are right.
 */
export function passAtK(samples: number, correct: number, k: number): number {
  if (!(k >= 1 && samples >= k && correct >= 0 && correct <= samples)) {
    throw new MemGenError({
      code: 'statistics-input',
      message: 'pass@k needs at least k samples and no more right ones than there are',
      got: `${correct} right of ${samples}, k = ${k}`,
    });
  }
  if (samples - correct < k) return 1;
  let allWrong = 1;
  for (let i = samples - correct + 1; i <= samples; i++) allWrong *= 1 - k / i;
  return 1 - allWrong;
}
