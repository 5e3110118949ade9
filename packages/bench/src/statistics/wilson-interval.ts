// Confidence interval of a proportion.
import { MemGenError } from '@memgen/common';
import { normalQuantile } from './normal-quantile.js';

/** Both ends included. */
export interface Interval {
  low: number;
  high: number;
}

/**
 * Wilson's score interval: sensible also near 0 and 1 and for few trials.
 *
 * @param confidence - default 0.95.
 * @returns [0, 1] for no trials.
 */
export function wilsonInterval(
  successes: number,
  trials: number,
  { confidence = 0.95 }: { confidence?: number } = {},
): Interval {
  if (!(successes >= 0 && successes <= trials && confidence > 0 && confidence < 1)) {
    throw new MemGenError({
      code: 'statistics-input',
      message: 'an interval needs 0 <= successes <= trials and a confidence between 0 and 1',
      got: `${successes} of ${trials} at ${confidence}`,
    });
  }
  if (trials === 0) return { low: 0, high: 1 };
  const z2 = normalQuantile((1 + confidence) / 2) ** 2;
  const rate = successes / trials;
  const center = (rate + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = (Math.sqrt(z2) / (1 + z2 / trials)) * Math.sqrt((rate * (1 - rate)) / trials + z2 / (4 * trials ** 2));
  return {
    low: successes === 0 ? 0 : Math.max(0, center - half),
    high: successes === trials ? 1 : Math.min(1, center + half),
  };
}
